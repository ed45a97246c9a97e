"""The table of vendors in `docs/providers.md`, made from the catalog.

Run `python -m tests.docs.providers_table` after a change of a vendor's row; a test compares.
"""

from __future__ import annotations

from pathlib import Path

from lumos_nb.providers.vendors import VENDORS, Vendor

PAGE = Path(__file__).parents[2] / "docs" / "providers.md"
BEGIN, END = "<!-- vendors: made by python -m tests.docs.providers_table -->", "<!-- /vendors -->"
HEAD = (
    "vendor",
    "format (others)",
    "key",
    "takes",
    "tools",
    "reasoning",
    "structured output",
    "default model",
    "window",
)
STRUCTURED = {"schema": "its own", "json": "JSON mode", "tool": "by a tool", "prompt": "by prompt"}


def table() -> str:
    """Return the table of all built-in vendors, in the order in which a key is looked for."""
    rows = [HEAD, ("---",) * len(HEAD), *(cells(vendor) for vendor in VENDORS.values())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def cells(vendor: Vendor) -> tuple[str, ...]:
    """Return a vendor's cells."""
    others = f" ({', '.join(vendor.formats)})" if vendor.formats else ""
    key = f"`{vendor.key_env[0]}`" if vendor.key_env else "–"
    return (
        f"`{vendor.id}`",
        f"{vendor.format}{others}",
        key if vendor.needs_key or not vendor.key_env else f"({key})",
        "text, rest not known" if vendor.accepts is None else ", ".join(("text", *vendor.accepts)),
        yes(vendor.supports_function_calling),
        yes(vendor.has_reasoning),
        structured(vendor),
        f"`{vendor.default_model}`" if vendor.default_model else "–",
        f"{vendor.context_window:,}" if vendor.context_window else "–",
    )


def structured(vendor: Vendor) -> str:
    """Return how an answer of a given form is got."""
    way = STRUCTURED[vendor.quirks.structured]
    return way if vendor.quirks.is_structured_beside_tools else f"{way}; beside tools by a tool"


def yes(is_so: bool) -> str:
    """Return a word for a cell."""
    return "yes" if is_so else "no"


def renewed(page: str) -> str:
    """Return a page with the table of today between its marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"The page has lost its marks {BEGIN!r} and {END!r}.")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
