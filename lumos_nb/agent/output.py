"""Structured output: a Python type in, a JSON schema to the model, a checked value out.

One idea: the type is the contract, as with tools: pydantic reads it once, into a schema for the
model and a validator for the answer.
"""

from __future__ import annotations

import json
import re
from typing import Any

from lumos_nb.errors import OutputError, UsageError
from lumos_nb.providers.base import OutputSchema

_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)


class OutputType:
    """The form that an answer must have.

    Args:
        type: A pydantic model, a dataclass, a `TypedDict`, `list[int]`, …; or a JSON schema as a dict.

    Raises:
        UsageError: It is nothing that a JSON schema can be made of.

    Example:
        >>> output = OutputType(list[int])
        >>> output.schema.schema["properties"]["value"]["items"]
        {'type': 'integer'}
        >>> output.parsed('{"value": [1, 2]}')
        [1, 2]
    """

    def __init__(self, type: Any) -> None:
        self._adapter: Any = None
        # Its own: what was given may be used again.
        schema = dict(type) if isinstance(type, dict) else self._schema_of(type)
        # Vendors want an object: anything else is put into one.
        self._is_wrapped = schema.get("type") != "object"
        if self._is_wrapped:
            definitions = {"$defs": schema.pop("$defs")} if "$defs" in schema else {}
            schema = {"type": "object", "properties": {"value": schema}, "required": ["value"],
                      "additionalProperties": False, **definitions}  # fmt: skip
        self.schema = OutputSchema(schema=schema)

    def parsed(self, text: str) -> Any:
        """Return the value that an answer's text stands for.

        Raises:
            OutputError: It is no JSON, or not of the form; says what is wrong, for the model to mend.
        """
        try:
            value = json.loads(_bare(text))
        except ValueError as error:
            raise OutputError(f"The answer is no JSON: {error}.", text=text) from None
        except RecursionError:
            raise OutputError("The answer is JSON that is nested too deeply to be read.", text=text) from None
        if self._is_wrapped and isinstance(value, dict) and "value" in value:
            value = value["value"]
        if self._adapter is None:
            return self._as_schema_says(value, text)
        from pydantic import ValidationError

        try:
            return self._adapter.validate_python(value)
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'answer'}: {e['msg']}" for e in error.errors()[:5])
            raise OutputError(f"The answer has not the form that was asked for: {wrong}.", text=text) from None

    def _as_schema_says(self, value: Any, text: str) -> Any:
        """Return a value for which there is a schema and no type: its outline is checked, not all that it says."""
        if self._is_wrapped:
            return value
        if not isinstance(value, dict):
            wrong = f"an object is asked for, not {value!r:.80}"
        elif missing := [name for name in self.schema.schema.get("required", ()) if name not in value]:
            wrong = f"{', '.join(missing)}: missing"
        else:
            return value
        raise OutputError(f"The answer has not the form that was asked for: {wrong}.", text=text)

    def _schema_of(self, type: Any) -> dict[str, Any]:
        from pydantic import PydanticSchemaGenerationError, PydanticUserError, TypeAdapter

        try:
            self._adapter = TypeAdapter(type)
            schema: dict[str, Any] = self._adapter.json_schema()
        except (PydanticSchemaGenerationError, PydanticUserError) as error:
            reason = str(error).splitlines()[0]
        else:
            return schema
        raise UsageError(
            f"output cannot be {type!r:.80}: {reason}",
            hint="Use a pydantic model, a dataclass, a TypedDict, a type such as list[str], or a JSON schema.",
        )


def _bare(text: str) -> str:
    """Return the JSON of a text that may have a fence, or words, around it."""
    fenced = _FENCED.search(text)
    text = (fenced[1] if fenced else text).strip()
    begin, end = text.find("{"), text.rfind("}")
    return text[begin : end + 1] if begin > 0 and end > begin and text[0] not in '["' else text
