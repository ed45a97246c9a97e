"""Writes the protocol as types of TypeScript: `python -m lumos_nb.notebook.lab.typescript FILE`.

One idea: msgspec knows each struct's fields and types; a struct becomes an interface, and the requests
become maps from their names to what is given and answered. A test holds the file to the code.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from msgspec import inspect as of

from lumos_nb.notebook.lab.protocol import PROTOCOL_VERSION, TARGET, Nothing, requests_of
from lumos_nb.notebook.lab.rooms import ROOMS
from lumos_nb.notebook.options import TABLE as OPTION_TABLE
from lumos_nb.telemetry.traces.trace import TRACE_MIME, TRACE_VERSION
from lumos_nb.transcript import MIME, TRANSCRIPT_VERSION
from lumos_nb.widgets.bundle import SKELETON
from lumos_nb.widgets.code import PRE
from lumos_nb.widgets.markdown import TABLE
from lumos_nb.widgets.results import ERROR, MUTED, PRINTED, SCROLL, SHOWN_CHARS
from lumos_nb.widgets.rows import CUT, ERROR_FRAME, LINE, SHELLS
from lumos_nb.widgets.widget import LIVE_MIME, STATIC

_SIMPLE: dict[Any, str] = {
    of.StrType: "string", of.IntType: "number", of.FloatType: "number", of.BoolType: "boolean",
    of.NoneType: "null", of.AnyType: "unknown", of.RawType: "unknown",
}  # fmt: skip

_STYLES = {
    "line": LINE, "cut": CUT, "muted": MUTED, "error": ERROR, "failure": ERROR_FRAME,
    "code": PRE, "printed": PRINTED, "scroll": SCROLL, "table": TABLE,
}  # fmt: skip


def written() -> str:
    """Return the text of `protocol.ts`."""
    requests = [r for room in ROOMS for r in requests_of(room)]
    asks = [a for room in ROOMS for a in room.page_asks]
    news = [n for room in ROOMS for n in room.news]
    structs: dict[str, type] = {}
    maps = [
        _map(
            "KernelAsks", "What a page may ask of the kernel.", [(r.name, r.given, r.answer) for r in requests], structs
        ),
        _map("PageAsks", "What the kernel may ask of a page.", [(a.name, a.given, a.answer) for a in asks], structs),
        _news([(n.name, n.given) for n in news], structs),
    ]
    return "\n".join([
        "// Written by `python -m lumos_nb.notebook.lab.typescript`; the kernel's code is the source.\n",
        f"export const PROTOCOL_VERSION = {PROTOCOL_VERSION};",
        f'export const TARGET = "{TARGET}";',
        f"export const TRANSCRIPT_VERSION = {TRANSCRIPT_VERSION};",
        f"export const TRACE_VERSION = {TRACE_VERSION};",
        f'export const RUN_MIME = "{MIME}";',
        f'export const TRACE_MIME = "{TRACE_MIME}";',
        f'export const LIVE_MIME = "{LIVE_MIME}";',
        f"export const SHOWN_CHARS = {SHOWN_CHARS};\n",
        "/** The options of a `%%agent` line. */",
        f"export const AGENT_OPTIONS = {_options()};\n",
        "/** The frames of a run and of its rows, the same in the live view, in saved HTML and here. */",
        f"export const SHELLS = {json.dumps({'run': SKELETON, **SHELLS}, indent=2)};\n",
        "/** The inline styles of what is in them. */",
        f"export const STYLES = {json.dumps(_STYLES, indent=2)};\n",
        *_interfaces(structs), *maps,
    ])  # fmt: skip


def _options() -> str:
    rows = [{"names": o.names, "takes": o.takes, "kind": o.kind, "help": o.help} for o in OPTION_TABLE]
    return json.dumps(rows, indent=2)


def _map(name: str, doc: str, rows: list[tuple[str, Any, Any]], structs: dict[str, type]) -> str:
    lines = [
        f"  '{n}': {{ given: {_type(given, structs)}; answer: {_type(answer, structs)} }};" for n, given, answer in rows
    ]
    return f"/** {doc} */\nexport interface {name} {{\n" + "\n".join(lines) + "\n}\n"


def _news(rows: list[tuple[str, Any]], structs: dict[str, type]) -> str:
    lines = [f"  '{name}': {_type(given, structs)};" for name, given in rows]
    return "/** What the kernel tells every page. */\nexport interface News {\n" + "\n".join(lines) + "\n}\n"


def _interfaces(structs: dict[str, type]) -> list[str]:
    out, done = [], set[str]()
    while todo := [cls for name, cls in structs.items() if name not in done]:
        for cls in todo:
            done.add(cls.__name__)
            fields = of.type_info(cls).fields  # type: ignore[attr-defined]
            lines = [f"  {f.encode_name}{'' if f.required else '?'}: {_named(f.type, structs)};" for f in fields]
            doc = (cls.__doc__ or "").strip().splitlines()[0]
            out.append(f"/** {doc} */\nexport interface {cls.__name__} {{\n" + "\n".join(lines) + "\n}\n")
    return out


def _type(given: Any, structs: dict[str, type]) -> str:
    return "Record<string, never>" if given is Nothing else _named(of.type_info(given), structs)


def _named(info: Any, structs: dict[str, type]) -> str:
    match info:
        case of.StructType(cls=cls):
            if structs.setdefault(cls.__name__, cls) is not cls:
                raise TypeError(f"two rooms have a struct {cls.__name__!r}; the page's types need two names")
            return str(cls.__name__)
        case of.ListType(item_type=item) | of.VarTupleType(item_type=item) | of.SetType(item_type=item):
            return f"{_bracketed(_named(item, structs))}[]"
        case of.DictType(value_type=value):
            return f"Record<string, {_named(value, structs)}>"
        case of.UnionType(types=types):
            return " | ".join(_named(t, structs) for t in types)
        case of.LiteralType(values=values):
            return " | ".join(f"'{v}'" if isinstance(v, str) else str(v) for v in values)
        case _:
            return _SIMPLE[type(info)]


def _bracketed(name: str) -> str:
    return f"({name})" if " | " in name else name


def question() -> str:
    """Return the text of `panel/question.ts`: the form of a question as the live view has it, as a module."""
    parts = "\n".join((STATIC / part).read_text("utf-8") for part in ("elements.js", "question.js"))
    return (
        "// Written by `python -m lumos_nb.notebook.lab.typescript`; the source is the live view's own form,\n"
        "// so that a question in the side panel is the one in the cell.\n"
        f"// @ts-nocheck\n\nconst ANSWER_MS = 1000;\n\n{parts}\nexport {{ Question }};\n"
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(written(), "utf-8")
    (Path(sys.argv[1]).parent / "panel" / "question.ts").write_text(question(), "utf-8")
