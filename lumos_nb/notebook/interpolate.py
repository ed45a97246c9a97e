"""`{{ expression }}` in a prompt: values of the notebook; single braces are plain text, always."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from lumos_nb.errors import InterpolationError, nearest
from lumos_nb.tools.results import as_text


def interpolate(text: str, namespace: Mapping[str, Any]) -> str:
    """Return the text with each `{{ expression }}` replaced by its value.

    Text and numbers appear as they print, tables as CSV, data as JSON. To write two braces, write
    `{{ "{{" }}`.

    Args:
        text: The prompt.
        namespace: Names that expressions may use.

    Raises:
        InterpolationError: An expression cannot be read or evaluated. Nothing was sent.

    Example:
        >>> interpolate('{"a": 1} {} {x.y} f"{v:.2f}" {{ x + 1 }}', {"x": 41})
        '{"a": 1} {} {x.y} f"{v:.2f}" 42'
        >>> interpolate("{{ {'a': {'b': 1}}['a'] }}", {})
        '{"b": 1}'
    """
    out: list[str] = []
    position = 0
    while (start := text.find("{{", position)) >= 0:
        source, end = _expression(text, start)
        out += [text[position:start], _value(source, namespace)]
        position = end
    return "".join([*out, text[position:]])


def expressions(text: str) -> list[str]:
    """Return the source of each `{{ expression }}`.

    Raises:
        InterpolationError: One cannot be read.

    Example:
        >>> expressions("Of {{ a + 1 }} and {{b}}")
        ['a + 1', 'b']
    """
    found: list[str] = []
    position = 0
    while (start := text.find("{{", position)) >= 0:
        source, position = _expression(text, start)
        found.append(source)
    return found


def _expression(text: str, start: int) -> tuple[str, int]:
    """Return the expression that begins at `{{`, and where the text goes on: the first `}}` that closes it."""
    end = text.find("}}", start + 2)
    while end >= 0:
        # In "{{ {'a': {}}}}" the braces that close the expression are the last two.
        while text[end + 2 : end + 3] == "}":
            end += 1
        source = text[start + 2 : end].strip()
        try:
            if not source:
                raise SyntaxError("nothing between the braces")
            ast.parse(f"({source}\n)", mode="eval")
        except (SyntaxError, ValueError):
            end = text.find("}}", end + 2)
            continue
        return source, end + 2
    shown = text[start : start + 40].splitlines()[0]
    raise InterpolationError(
        f"{shown!r} is not a Python expression between double braces.",
        hint='Write {{ name }} for a value; for two braces as text, write {{ "{{" }}.',
    )


def _value(source: str, namespace: Mapping[str, Any]) -> str:
    try:
        value = eval(f"({source}\n)", dict(namespace))  # noqa: S307  the person's own code in the person's own cell
    except NameError as error:
        name = error.name or ""
        raise InterpolationError(
            f"{{{{ {source} }}}} uses {name!r}, which is not defined in this notebook.",
            hint=_near(name, namespace),
        ) from None
    except Exception as error:  # whatever the expression does
        raise InterpolationError(
            f"{{{{ {source} }}}} failed: {type(error).__name__}: {error}.", hint="Nothing was sent to a model."
        ) from None
    return str(value) if isinstance(value, str | int | float) else as_text(value)


def _near(name: str, namespace: Mapping[str, Any]) -> str:
    known = [n for n in namespace if not n.startswith("_")]
    hint = nearest(name, known)
    return hint if hint.startswith("Did") else "Run the cell that defines it first."
