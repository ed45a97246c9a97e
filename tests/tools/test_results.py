"""What a tool returns reaches the model as bounded text and a person in its richest form."""

import base64

import pandas as pd
import pytest

from lumos_nb.errors import ToolError, UsageError
from lumos_nb.messages import ToolCall
from lumos_nb.tools.results import as_text, from_error, from_value

CALL = ToolCall(id="c1", name="rows")


def test_a_table_is_csv_for_the_model_and_html_for_a_person():
    result = from_value(CALL, pd.DataFrame({"a": [1, 2], "b": ["x", "<b>"]}))
    assert result.content == "a,b\n1,x\n2,<b>\n"
    assert "<table" in result.display["text/html"]
    assert "<b>" not in result.display["text/html"]


def test_a_long_table_says_how_long_it_is():
    assert as_text(pd.DataFrame({"a": range(1000)})).endswith("… the first 100 of 1000 rows\n")


def test_fifty_megabytes_are_cut_and_said_so():
    result = from_value(CALL, "x" * 50_000_000)
    assert result.size_bytes == 50_000_000
    assert len(result.content) < 25_000
    assert "49,980,000 of 50,000,000 characters left out" in result.content


@pytest.mark.parametrize("value", [object(), {1, 2}, lambda: 1, {"a": object()}, float("nan"), {("a",): 1}])
def test_what_cannot_be_serialised_is_shown_as_it_prints(value):
    assert from_value(CALL, value).content


def test_a_value_whose_repr_fails_does_not_break_the_run():
    class Broken:
        def __repr__(self):
            raise RuntimeError("no")

        _repr_html_ = __repr__

    result = from_value(CALL, Broken())
    assert result.content == "<Broken that cannot be shown: RuntimeError: no>"
    assert result.display == {}


def test_a_cycle_does_not_break_the_run():
    cycle: list = []
    cycle.append(cycle)
    assert from_value(CALL, cycle).content == "[[...]]"


def test_an_image_is_shown_and_named_to_the_model():
    class Picture:
        def _repr_png_(self):
            return b"\x89PNG"

    assert from_value(CALL, Picture()).display == {"image/png": base64.b64encode(b"\x89PNG").decode()}


def test_an_exception_tells_the_model_its_type_and_a_person_where():
    try:
        raise ValueError("database is locked")
    except ValueError as error:
        result = from_error(CALL, error)
    assert result.content == "ValueError: database is locked"
    assert result.is_error
    assert result.error_type == "ValueError"
    assert "test_results.py" in result.traceback
    assert result.traceback.startswith("ValueError: database is locked\nTraceback")


def test_a_tool_error_tells_the_model_just_its_message():
    assert from_error(CALL, ToolError("No such table.", hint="Use list_tables.")).content == (
        "No such table. Use list_tables."
    )


def test_the_hint_of_an_error_of_ours_is_told_once():
    assert from_error(CALL, UsageError("No such table.", hint="Use list_tables.")).content == (
        "UsageError: No such table. Use list_tables."
    )
