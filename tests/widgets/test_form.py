"""The form of a question: a field for each argument, and JSON for what has none."""

from __future__ import annotations

import json
from enum import Enum
from typing import Any, Literal

import pytest

from lumos_nb.tools import Tool
from lumos_nb.widgets.form import form_fields, question_of


class Region(Enum):
    NORTH = "north"
    SOUTH = "south"


def report(
    table: str, sql: str = "select 1", limit: int = 5, ratio: float | None = None, dry: bool = False,
    how: Literal["fast", "slow"] = "fast", region: Region = Region.NORTH, columns: list[str] | None = None,
) -> str:  # fmt: skip
    """Report.

    Args:
        table: Which table.
    """
    return table


def fields_of(arguments: dict[str, Any] | str) -> dict[str, dict[str, Any]]:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return {field["name"]: field for field in form_fields(Tool(report).spec.parameters, {"arguments": text})}


def test_each_argument_has_the_field_of_its_type() -> None:
    fields = fields_of({"table": "orders", "limit": 7})
    assert {name: field["kind"] for name, field in fields.items()} == {
        "table": "line", "sql": "area", "limit": "number", "ratio": "number", "dry": "boolean", "how": "select",
        "region": "select", "columns": "json",
    }  # fmt: skip
    assert fields["table"] == {
        "name": "table", "kind": "line", "text": "orders", "given": '"orders"', "hint": "Which table."
    }  # fmt: skip
    assert fields["region"]["options"] == ['"north"', '"south"'] and fields["ratio"]["is_nullable"]


def test_what_the_model_left_out_shows_its_default_and_is_not_given() -> None:
    limit, table = fields_of({})["limit"], fields_of({})["table"]
    assert limit["text"] == "5" and "given" not in limit
    assert table["text"] == "" and "given" not in table


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("table", "two\nlines", "area"),
        ("table", "long " * 30, "area"),
        ("table", 7, "json"),
        ("limit", "7", "json"),
        ("limit", True, "json"),
        ("limit", 10**30, "number"),
        ("how", "sideways", "select"),
        ("dry", None, "boolean"),
        ("columns", ["a"], "json"),
        ("unknown", {"a": 1}, "json"),
        ("unknown", "a", "line"),
    ],
)
def test_a_value_that_does_not_fit_its_field_is_edited_as_json(name: str, value: Any, kind: str) -> None:
    field = fields_of({name: value})[name]
    assert field["kind"] == kind and json.loads(field["given"]) == value
    if kind in {"json", "number"}:
        assert json.loads(field["text"]) == value


@pytest.mark.parametrize("arguments", ['{"table": ', "[1, 2]", '"orders"', "nonsense"])
def test_arguments_that_are_no_object_are_one_text(arguments: str) -> None:
    assert fields_of(arguments) == {"": {"name": "", "kind": "whole", "text": arguments, "given": arguments}}


@pytest.mark.parametrize(
    "schema", [{}, {"type": "object"}, {"properties": []}, {"properties": {"a": 3, "b": {"$ref": "#/x"}}}]
)
def test_a_schema_that_says_little_still_makes_a_form(schema: dict[str, Any]) -> None:
    fields = form_fields(schema, {"arguments": '{"a": 1, "b": "c"}'})
    shown = {k for f in fields for k in ([f["name"]] if f["name"] else json.loads(f["text"]))}
    assert shown == {"a", "b"}


def test_a_question_says_who_asks_and_why() -> None:
    item = {"call_id": "c", "name": "rows", "arguments": "{}", "question": {"reason": "it writes", "schema": {}}}
    question = question_of(item)
    assert (question["call_id"], question["name"], question["reason"]) == ("c", "rows", "it writes")
