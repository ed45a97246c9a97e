"""The file of a notebook: its cells, what their tags ask of a test, and its outputs written back.

One idea: the file stays as it is, but for the outputs that are written: read as plain JSON, and written in the
form in which it was found.
"""

from __future__ import annotations

import json
import os
import re
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from lumos_nb.errors import MissingDependencyError, UsageError, nearest

BOM = "\ufeff"
"""What some Windows editors write before a text."""
TAGS = ("lumos-skip", "lumos-live", "lumos-compare", "lumos-ignore-output", "lumos-timeout")
"""Tags of cells that mean something here, and `raises-exception`, which all runners know."""


class CellPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A code cell, and what its tags say."""

    #: Its id; of notebooks older than nbformat 4.5, `cell-` and its place among all cells, from one.
    name: str
    #: Its place among all cells, from zero.
    index: int
    source: str
    is_skipped: bool = False
    is_live: bool = False
    is_compared: bool = False
    is_ignored: bool = False
    must_raise: bool = False
    timeout_s: float | None = None
    #: What is wrong with its tags; it fails with these words.
    fault: str = ""


class Book:
    """A notebook as it is on the disk.

    Args:
        path: Its file.

    Raises:
        UsageError: It is no notebook, or one of an old format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._text = path.read_bytes().decode()  # with its line ends, so that they can be written back
            self.raw = json.loads(self._text.removeprefix(BOM))
            cells = self.raw["cells"]
            self.cells = [_plan(cell, i, self.lumos) for i, cell in enumerate(cells) if cell["cell_type"] == "code"]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            old = isinstance(error, KeyError) and "worksheets" in self._text
            raise UsageError(
                f"{path.name!r} is {'of the format of nbformat 3' if old else f'no notebook: {error!r}'}.",
                hint="Open and save it in JupyterLab." if old else "Is it cut off, or left with a merge conflict?",
            ) from None
        self.masks = _masks(self.lumos, path.name)

    @cached_property
    def node(self) -> Any:
        """The notebook as runners know it; what is executed changes it, and not what the file says."""
        return _node(self.raw)  # not sooner: what reads it takes as long to load as a kernel to start

    @property
    def lumos(self) -> dict[str, Any]:
        """What the notebook's metadata say under `lumos`."""
        found = (self.raw.get("metadata") or {}).get("lumos", {})
        return found if isinstance(found, dict) else {}

    def stored(self, index: int) -> list[Any]:
        """Return the outputs of a cell that the file has."""
        return list(self.node.cells[index].get("outputs", []))

    def write_outputs(self, executed: dict[int, Any]) -> bool:
        """Put outputs in place of those of the file; everything else stays as it is, to the byte where possible.

        Args:
            executed: Cells as they were executed, by their places.

        Returns:
            Whether anything changed.
        """
        from nbformat.v4.rwbase import split_lines

        for index, cell in executed.items():
            node = split_lines(_node({"cells": [json.loads(json.dumps(cell))], "metadata": {}}))
            self.raw["cells"][index]["outputs"] = _plain(node.cells[0]["outputs"])
            self.raw["cells"][index]["execution_count"] = cell["execution_count"]
        if self.raw == json.loads(self._text.removeprefix(BOM)):
            return False
        self.write()
        return True

    def write(self) -> None:
        """Write what is in `raw`, in the form in which the file was found."""
        text = _written(self.raw, self._text)
        path = self.path.resolve()  # a link stays one
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        unfinished.write_text(text, encoding="utf-8", newline="")
        unfinished.chmod(path.stat().st_mode)
        unfinished.replace(path)
        self._text = text


def _node(raw: dict[str, Any]) -> Any:
    try:
        from nbformat.notebooknode import from_dict
        from nbformat.v4.rwbase import rejoin_lines
    except ImportError:
        raise MissingDependencyError(
            "Notebooks as tests need nbformat and nbclient.", hint='Install them: pip install "lumos-nb[test]"'
        ) from None
    return rejoin_lines(from_dict(json.loads(json.dumps(raw))))


def _plain(value: Any) -> Any:
    """Return outputs as nbformat writes them: keys in their order, and no node classes."""
    return json.loads(json.dumps(value, sort_keys=True))


def _written(raw: dict[str, Any], before: str) -> str:
    bare = before.removeprefix(BOM).replace("\r\n", "\n")
    body = bare.strip()
    text = json.dumps(raw, **_form(body))
    text = bare[: bare.index(body)] + text + bare[bare.index(body) + len(body) :]
    text = text.replace("\n", "\r\n") if "\r\n" in before else text
    return BOM + text if before.startswith(BOM) else text


def _form(text: str) -> dict[str, Any]:
    """Return how JSON is written so that this text comes out, or nearly."""
    found = re.match(r"\{\n([ \t]+)", text)
    indent = found[1] if found else None
    forms = [
        {"ensure_ascii": is_ascii, "indent": indent, "separators": separators}
        for separators in ((",", ": "), (", ", ": "), (",", ":"))
        for is_ascii in (text.isascii() and "\\u" in text, not text.isascii())
    ]
    raw = json.loads(text)
    return next((form for form in forms if json.dumps(raw, **form) == text), forms[0])  # type: ignore[arg-type]


def _plan(cell: dict[str, Any], index: int, lumos: dict[str, Any]) -> CellPlan:
    metadata = cell.get("metadata") or {}
    tags, source = metadata.get("tags") or [], cell["source"]
    limit = (metadata.get("lumos") or {}).get("timeout_s", lumos.get("timeout_s"))
    if limit is not None and (not isinstance(limit, int | float) or isinstance(limit, bool)):
        raise ValueError(f"timeout_s is {limit!r} and no number of seconds")
    fault = next(filter(None, map(_fault, tags)), "")
    for tag in tags:
        if tag.startswith("lumos-timeout:") and not fault:
            limit = float(tag.partition(":")[2])
    return CellPlan(
        name=cell.get("id") or f"cell-{index + 1}", index=index,
        source=source if isinstance(source, str) else "".join(source),
        is_skipped="lumos-skip" in tags, is_live="lumos-live" in tags, is_compared="lumos-compare" in tags,
        is_ignored="lumos-ignore-output" in tags, must_raise="raises-exception" in tags,
        timeout_s=limit, fault=fault,
    )  # fmt: skip


def _fault(tag: str) -> str:
    """Return what is wrong with a tag, or nothing.

    Example:
        >>> _fault("lumos-skipp"), _fault("mine"), _fault("lumos-timeout:300")
        ("There is no tag 'lumos-skipp'. Did you mean 'lumos-skip'?", '', '')
    """
    name, _, value = tag.partition(":")
    if not name.startswith("lumos-"):
        return ""
    if name == "lumos-timeout":
        is_number = re.fullmatch(r"\d+(\.\d+)?", value)
        return "" if is_number else f"The tag {tag!r} names no seconds. Write it as 'lumos-timeout:300'."
    if tag in TAGS:
        return ""
    return f"There is no tag {tag!r}. {nearest(tag, TAGS)}"


def _masks(lumos: dict[str, Any], name: str) -> list[tuple[re.Pattern[str], str]]:
    try:
        return [(re.compile(mask["regex"]), mask.get("replace", "…")) for mask in lumos.get("mask", [])]
    except (re.error, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"A mask of {name!r} is not valid: {error!r}.",
            hint='Write metadata.lumos.mask as [{"regex": "[0-9]+ rows", "replace": "N rows"}].',
        ) from None
