"""The tables of columns in `docs/data.md`, made from the schemas of the frames.

Run `python -m tests.docs.data_page` after a change of a column; a test compares.
"""

from __future__ import annotations

from pathlib import Path

from lumos_nb.frames._sources import Source
from lumos_nb.frames._tables import SOURCES
from lumos_nb.stores.schema import Column

PAGE = Path(__file__).parents[2] / "docs" / "data.md"
BEGIN, END = "<!-- frames: made by python -m tests.docs.data_page -->", "<!-- /frames -->"
ABOUT = {
    "threads": "A row for each stored conversation.",
    "runs": "A row for each `generate`, `stream` or `%%agent`, written when it begins and when it ends.",
    "steps": "A row for each answer of a model, with the tool calls that it asked for.",
    "events": "The log that all other frames agree with: a row for each thing that happened, in one order.",
    "messages": "A row for each part of each message; `parts=False` gives one for each message.",
    "tool_calls": "A row for each tool call, written before the tool starts and when it ends.",
    "metrics": "A row for each measured value, long form; worked out from runs, steps and tool calls.",
    "spans": "A row for each thing that took time, worked out from runs, steps, tool calls and events.",
}
UNITS = {"_s": "seconds", "_usd": "US dollars", "_tokens": "tokens", "_bytes": "bytes", "_chars": "characters"}
DTYPES = {"id": "text", "text": "text", "json": "text (JSON)", "cat": "category", "int": "Int64", "bool": "boolean",
          "float": "float64", "time": "datetime64[ns, UTC]"}  # fmt: skip


def frames() -> str:
    """Return a section for each frame."""
    return "\n\n".join(section(source) for source in SOURCES.values())


def section(source: Source) -> str:
    """Return a frame's heading, what a row is, and its columns."""
    key = ", ".join(f"`{name}`" for name in source.key)
    head = f"### {source.name}\n\n{ABOUT[source.name]} "
    head += f"Key: {key}. " if key else ""
    head += f"Time: `{source.time}`. Schema: `{source.name}/{source.version}`.\n\n"
    return head + "\n".join(
        ["| column | dtype | unit | what it says |", "|---|---|---|---|", *map(row, source.columns)]
    )


def row(column: Column) -> str:
    """Return a column's line."""
    name = f"`{column.name}`" + (" *" if column.lazy else "")
    return f"| {name} | {DTYPES[column.type]} | {unit(column)} | {column.doc} |".replace("  ", " ")


def unit(column: Column) -> str:
    """Return the unit that a column's name carries."""
    return next((word for suffix, word in UNITS.items() if column.name.endswith(suffix)), "")


def renewed(page: str) -> str:
    """Return a page with the frames of today between its marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"The page has lost its marks {BEGIN!r} and {END!r}.")
    return f"{before}{BEGIN}\n\n{frames()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
