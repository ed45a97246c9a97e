"""The arguments of a call as the fields of a form.

One idea: a field is chosen here, from the schema and from what the model wrote; the page only draws
it. What has no field of its own is edited as JSON, so everything can be changed.
"""

from __future__ import annotations

import json
from typing import Any

from lumos_nb.widgets import words

Field = dict[str, Any]

_LONG_NAMES = {"code", "sql", "text", "query", "source", "content", "body", "prompt", "message", "script"}
_TYPES: dict[str, type | tuple[type, ...]] = {"string": str, "integer": int, "number": (int, float), "boolean": bool}


def question_of(item: dict[str, Any]) -> dict[str, Any]:
    """Return what the page must know to ask a person about a waiting call."""
    question = item.get("question") or {}
    return {
        "call_id": item["call_id"],
        "name": item["name"],
        "asked_at": question.get("asked_at"),
        "reason": question.get("reason", ""),
        "fields": form_fields(question.get("schema") or {}, item),
    }


def form_fields(schema: dict[str, Any], item: dict[str, Any]) -> list[Field]:
    """Return the fields of a form for the arguments of a call.

    Each has a `name`, a `kind` (line, area, number, boolean, select, json, whole) and the `text` that
    it shows; `given`, what the model wrote, as JSON text, where it wrote something; and as the case is
    `hint`, `options` (JSON texts) and `is_nullable`. The kind `whole` stands alone: it is all of the arguments.

    Example:
        >>> schema = {"type": "object", "properties": {"limit": {"type": "integer", "default": 5}}}
        >>> form_fields(schema, {"arguments": '{"limit": 7}'})
        [{'name': 'limit', 'kind': 'number', 'text': '7', 'given': '7'}]
        >>> form_fields(schema, {"arguments": "{}"})
        [{'name': 'limit', 'kind': 'number', 'text': '5'}]
    """
    args = words.arguments(item["arguments"])
    if args is None or not isinstance(schema.get("properties"), dict):
        text = item["arguments"] if args is None else _pretty(args)
        return [{"name": "", "kind": "whole", "text": text, "given": item["arguments"]}]
    properties = {**schema["properties"], **{name: {} for name in args if name not in schema["properties"]}}
    return [_field(name, _resolved(part, schema), args) for name, part in properties.items()]


def _field(name: str, part: dict[str, Any], args: dict[str, Any]) -> Field:
    is_given = name in args
    value = args[name] if is_given else part.get("default")
    part, is_nullable = _without_null(part)
    kind = _kind(name, part, value)
    field: Field = {"name": name, "kind": kind, "text": _text(kind, value)}
    if is_given:
        field["given"] = json.dumps(args[name], ensure_ascii=False)
    if kind == "select":  # what the model wrote can stay chosen, though it is none of them
        others = [value] if value is not None and value not in part["enum"] else []
        field["options"] = [json.dumps(option, ensure_ascii=False) for option in [*others, *part["enum"]]]
    if is_nullable and kind != "json":
        field["is_nullable"] = True
    if isinstance(part.get("description"), str):
        field["hint"] = part["description"]
    return field


def _resolved(part: Any, schema: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference into the schema's own definitions, as a type of its own or an enum has one."""
    part = part if isinstance(part, dict) else {}
    name = str(part.get("$ref", "")).rpartition("/")[2]
    found = (schema.get("$defs") or {}).get(name) if name else None
    return {**found, **part} if isinstance(found, dict) else part


def _without_null(part: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return the schema of a value that may be missing as that of the value, and whether it may be."""
    choices = [c for c in part.get("anyOf") or [] if isinstance(c, dict)]
    others = [c for c in choices if c.get("type") != "null"]
    if len(others) == 1 and len(choices) == 2:
        return {**part, **others[0]}, True
    return part, False


def _kind(name: str, part: dict[str, Any], value: Any) -> str:
    if isinstance(part.get("enum"), list) and part["enum"]:
        return "select"
    is_open = isinstance(value, str) and not set(part) - {"title", "description", "default"}
    declared = "string" if is_open else str(part.get("type"))
    expected = _TYPES.get(declared)
    fits = expected is not None and (value is None or isinstance(value, expected))
    if not fits or (isinstance(value, bool) and declared != "boolean"):
        return "json"
    if declared == "string":
        is_long = "\n" in (value or "") or len(value or "") > 80 or name.lower() in _LONG_NAMES
        return "area" if is_long else "line"
    return "boolean" if declared == "boolean" else "number"


def _text(kind: str, value: Any) -> str:
    if value is None:
        return ""
    if kind in {"line", "area"}:
        return str(value)
    return _pretty(value) if kind == "json" else json.dumps(value, ensure_ascii=False)


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
