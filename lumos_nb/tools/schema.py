"""From a Python function to what a model needs to call it, and back.

One idea: the signature is the contract. pydantic reads it once, into a JSON schema for the
model and a validator for what the model sends.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any

from lumos_nb.context import RuntimeContext
from lumos_nb.errors import ToolDefinitionError

_KINDS = inspect.Parameter


def describe(fn: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """Return the description of a function and of each of its parameters, from its docstring.

    Google, NumPy, reST and Epydoc styles are read.

    Example:
        >>> def rows(table, limit=10):
        ...     '''First rows of a table.
        ...
        ...     Args:
        ...         table: Name of the table.
        ...     '''
        >>> describe(rows)
        ('First rows of a table.', {'table': 'Name of the table.'})
    """
    from docstring_parser import parse

    parsed = parse(inspect.getdoc(fn) or "")
    text = "\n\n".join(p.strip() for p in (parsed.short_description, parsed.long_description) if p)
    return text, {p.arg_name: (p.description or "").strip() for p in parsed.params}


def arguments_model(fn: Callable[..., Any], name: str) -> tuple[Any, dict[str, Any], str | None]:
    """Return a pydantic model of a function's arguments, its JSON schema, and the context's parameter.

    A parameter annotated with `RuntimeContext` is filled in by Lumos and hidden from the model.

    Args:
        fn: The function.
        name: Name of the tool, for errors.

    Raises:
        ToolDefinitionError: A parameter cannot be described to a model; names it.
    """
    from pydantic import ConfigDict, create_model
    from pydantic.errors import PydanticUserError

    hints = _hints(fn, name)
    _, docs = describe(fn)
    fields: dict[str, Any] = {}
    context: str | None = None
    for parameter in inspect.signature(fn).parameters.values():
        if hints.get(parameter.name) is RuntimeContext:
            context = parameter.name
            continue
        fields[parameter.name] = _field(parameter, hints, docs, name)
    try:
        config = ConfigDict(extra="forbid", arbitrary_types_allowed=False)
        model = create_model(name, __config__=config, **fields)
        schema = model.model_json_schema()
    except (PydanticUserError, NameError) as error:
        raise ToolDefinitionError(
            f"Tool {name!r} has a parameter that no JSON can fill: {str(error).splitlines()[0]}",
            hint="Annotate it with a plain type, an enum, a dataclass or a pydantic model.",
        ) from None
    return model, _tidy(schema), context


def _hints(fn: Callable[..., Any], name: str) -> dict[str, Any]:
    try:
        return typing.get_type_hints(fn, include_extras=True)
    except NameError as error:
        raise ToolDefinitionError(
            f"Tool {name!r} has an annotation that is not defined: {error}.",
            hint="Define or import it in an earlier cell.",
        ) from None


def _field(parameter: inspect.Parameter, hints: dict[str, Any], docs: dict[str, str], tool: str) -> tuple[Any, Any]:
    from pydantic import Field
    from pydantic.fields import FieldInfo

    if parameter.kind in {_KINDS.VAR_POSITIONAL, _KINDS.VAR_KEYWORD, _KINDS.POSITIONAL_ONLY}:
        raise ToolDefinitionError(
            f"Tool {tool!r} takes {str(parameter)!r}, which a model cannot fill by name.",
            hint="Give it named parameters, or wrap it in a function that has them.",
        )
    kind = hints.get(parameter.name, Any)
    default = ... if parameter.default is parameter.empty else parameter.default
    if isinstance(default, FieldInfo):
        return kind, default
    return kind, Field(default, description=docs.get(parameter.name) or None)


def _tidy(schema: Any) -> Any:
    """Drop the titles that pydantic adds: they cost tokens and say nothing new."""
    if isinstance(schema, list):
        return [_tidy(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    out = {k: _tidy(v) for k, v in schema.items() if k != "title" or not isinstance(v, str)}
    for key in ("properties", "$defs"):  # names there are the caller's, also "title"
        if isinstance(schema.get(key), dict):
            out[key] = {k: _tidy(v) for k, v in schema[key].items()}
    return out
