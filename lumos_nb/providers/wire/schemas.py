"""JSON schemas as those vendors take them who hold a model's answer to a form by a grammar.

One idea: such a grammar knows the shape of a value and not its limits; limits are said in words, in
the description, so that a schema made from a type is taken as it is.
"""

from __future__ import annotations

import json
from typing import Any

_KEPT = {"type", "enum", "const", "required", "title", "description"}
_FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}


def closed(schema: Any) -> Any:
    """Return a schema whose objects are closed and which holds no keyword that the grammars refuse.

    Example:
        >>> closed({"type": "integer", "minimum": 1, "description": "How many."})
        {'type': 'integer', 'description': 'How many. (minimum: 1)'}
        >>> closed({"type": "object", "properties": {"a": {"type": "string"}}})["additionalProperties"]
        False
    """
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        # Nothing may stand beside a reference; its definitions may.
        return {key: value for key, value in _nested(schema).items() if key in {"$ref", "$defs"}}
    out, limits = _nested(schema), {}
    for key, value in schema.items():
        if key in _KEPT or (key == "format" and value in _FORMATS) or (key == "minItems" and value in (0, 1)):
            out[key] = value
        elif key not in out and key not in {"oneOf", "additionalProperties"}:
            limits[key] = value
    if out.get("type") == "object" or "properties" in out:
        out["additionalProperties"] = False
    if limits:
        said = ", ".join(f"{key}: {_shown(value)}" for key, value in limits.items())
        out["description"] = f"{out.get('description', '')} ({said})".strip()
    return out


def is_closable(schema: dict[str, Any]) -> bool:
    """Return whether a schema says the same once it is closed: no free keys, which would have to be none, and no cycle.

    Example:
        >>> is_closable({"type": "object", "properties": {"a": {"type": "string"}}})
        True
        >>> is_closable({"type": "object", "additionalProperties": {"type": "integer"}})
        False
    """
    definitions = schema.get("$defs") or {}
    uses = {f"#/$defs/{name}": _references(inner) for name, inner in definitions.items()}
    return not _has_free_keys(schema) and not any(_leads_back(name, name, uses, set()) for name in uses)


def _has_free_keys(schema: Any) -> bool:
    if isinstance(schema, list):
        return any(map(_has_free_keys, schema))
    if not isinstance(schema, dict):
        return False
    others = schema.get("additionalProperties")
    is_free = others is not False and (
        bool(others) or (schema.get("type") == "object" and not schema.get("properties"))
    )
    inner = [*(schema.get("properties") or {}).values(), *(schema.get("$defs") or {}).values()]
    inner += [schema.get(key) for key in ("items", "anyOf", "oneOf", "allOf")]
    return is_free or any(map(_has_free_keys, inner))


def _references(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return {name for inner in schema for name in _references(inner)}
    if not isinstance(schema, dict):
        return set()
    own = {schema["$ref"]} if isinstance(schema.get("$ref"), str) else set()
    return own | {name for inner in schema.values() for name in _references(inner)}


def _leads_back(name: str, start: str, uses: dict[str, set[str]], seen: set[str]) -> bool:
    for used in uses.get(name, set()) - seen:
        seen.add(used)
        if used == start or _leads_back(used, start, uses, seen):
            return True
    return False


def _nested(schema: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in schema.items():
        if key in {"properties", "$defs"} and isinstance(value, dict):
            out[key] = {name: closed(inner) for name, inner in value.items()}
        elif key in {"anyOf", "oneOf", "allOf"} and isinstance(value, list):
            # `oneOf` is not known: a value that fits one of them fits any of them.
            out["anyOf" if key == "oneOf" else key] = [closed(inner) for inner in value]
        elif key == "items" and isinstance(value, dict):
            out[key] = closed(value)
        elif key == "$ref":
            out[key] = value
    return out


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


#: What the strict mode takes beside objects; a keyword that is not here is refused or may be.
_STRICT_KEYS = {
    "type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf",
    "$defs", "description", "title",
}  # fmt: skip


def is_strict(schema: dict[str, Any]) -> bool:
    """Return whether the strict mode takes a schema: closed objects, all properties required, few keywords.

    Example:
        >>> closed = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
        >>> is_strict({**closed, "additionalProperties": False}), is_strict(closed)
        (True, False)
    """
    return schema.get("type") == "object" and "anyOf" not in schema and _is_strict(schema)


def _is_strict(schema: Any) -> bool:
    if not isinstance(schema, dict):
        return False
    if "$ref" in schema:
        return len(schema) == 1 and str(schema["$ref"]).startswith("#")
    if not schema.keys() <= _STRICT_KEYS or not schema.keys() & {"type", "anyOf", "enum", "const"}:
        return False
    properties, definitions = schema.get("properties") or {}, schema.get("$defs") or {}
    inner = [*properties.values(), *definitions.values(), *(schema.get("anyOf") or ())]
    if "items" in schema:
        inner.append(schema["items"])
    return _is_closed(schema) and all(map(_is_strict, inner))


def _is_closed(schema: dict[str, Any]) -> bool:
    types = schema.get("type")
    if types == "array" or (isinstance(types, list) and "array" in types):
        return "items" in schema
    if types != "object" and not (isinstance(types, list) and "object" in types):
        return True
    required, properties = schema.get("required") or [], schema.get("properties") or {}
    return schema.get("additionalProperties") is False and set(required) == set(properties)
