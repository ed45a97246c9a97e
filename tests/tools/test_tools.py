"""Plain functions become tools: schema from the signature, and what a model sends comes back as values."""

from __future__ import annotations

import dataclasses
import enum
import json
from typing import Annotated, Literal

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumos_nb import RuntimeContext, tool
from lumos_nb.errors import ToolDefinitionError, ToolError, UsageError
from lumos_nb.messages import ToolCall
from lumos_nb.tools import ToolRegistry


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Filter(pydantic.BaseModel):
    """Which rows."""

    column: str
    above: float = 0.0


@dataclasses.dataclass
class Page:
    number: int
    size: int = 20


@tool
def search(
    query: str,
    where: Filter,
    page: Page,
    colour: Colour = Colour.RED,
    mode: Literal["fast", "exact"] = "fast",
    tags: list[str] | None = None,
    limit: Annotated[int, pydantic.Field(ge=1, le=100)] = 10,
) -> str:
    """Search the rows.

    Longer text that explains.

    Args:
        query: What to look for.
        limit: At most this many.
    """
    return f"{query} {where.column}>{where.above} {page.number}/{page.size} {colour.name} {mode} {tags} {limit}"


def call(arguments: str) -> ToolCall:
    return ToolCall(id="c1", name="search", arguments=arguments)


def test_the_schema_says_what_the_signature_and_docstring_say():
    assert search.spec.name == "search"
    assert search.spec.description == "Search the rows.\n\nLonger text that explains."
    schema = search.spec.parameters
    assert schema["required"] == ["query", "where", "page"]
    assert schema["properties"]["query"] == {"type": "string", "description": "What to look for."}
    assert schema["properties"]["limit"] == {
        "type": "integer", "minimum": 1, "maximum": 100, "default": 10, "description": "At most this many.",
    }  # fmt: skip
    assert schema["properties"]["mode"]["enum"] == ["fast", "exact"]
    assert schema["$defs"]["Colour"]["enum"] == ["red", "blue"]
    assert schema["$defs"]["Filter"]["required"] == ["column"]
    assert schema["additionalProperties"] is False


def test_what_the_model_sends_arrives_as_the_types_of_the_signature():
    arguments = search.arguments(
        call('{"query": "q", "where": {"column": "a", "above": 2}, "page": {"number": 3}, "colour": "blue"}'),
        RuntimeContext(),
    )
    assert search(**arguments) == "q a>2.0 3/20 BLUE fast None 10"


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("{not json", "not valid JSON"),
        ("[1]", "expected a JSON object, got list"),
        ("{}", "query: Field required"),
        ('{"query": "q", "where": {"above": "x"}, "page": {"number": 1}}', "where.column: Field required"),
        ('{"query": "q", "where": {"column": "c"}, "page": {"number": 1}, "limit": 1000}', "limit: Input should be"),
        ('{"query": "q", "where": {"column": "c"}, "page": {"number": 1}, "colour": "green"}', "colour:"),
        ('{"query": "q", "where": {"column": "c"}, "page": {"number": 1}, "nope": 1}', "nope: Extra inputs"),
    ],
)
def test_arguments_that_do_not_fit_tell_the_model_where(sent, told):
    with pytest.raises(ToolError, match="were not accepted") as error:
        search.arguments(call(sent), RuntimeContext())
    assert told in str(error.value)


def test_a_tool_is_still_the_function_it_was():
    @tool(name="add_up", tags=["math"], category="numbers")
    def add(a: int, b: int = 2) -> int:
        "Add."
        return a + b

    assert add(1) == 3
    assert add.__name__ == "add"
    assert (add.name, add.tags, add.category) == ("add_up", ("math",), "numbers")


def test_the_context_is_filled_in_and_hidden_from_the_model():
    @tool
    def who(greeting: str, context: RuntimeContext) -> str:
        return f"{greeting} {context.get('user', str)}"

    assert list(who.spec.parameters["properties"]) == ["greeting"]
    arguments = who.arguments(ToolCall(id="1", name="who", arguments='{"greeting": "Hi"}'), RuntimeContext(user="Ada"))
    assert who(**arguments) == "Hi Ada"


def test_a_parameter_called_title_keeps_its_name():
    @tool
    def book(title: str) -> str:
        return title

    assert book.spec.parameters["properties"]["title"] == {"type": "string"}


@pytest.mark.parametrize(
    ("define", "says"),
    [
        (lambda: tool(lambda *args: 1), "cannot be the name"),
        (lambda: tool(name="f")(lambda *args: 1), r"takes '\*args'"),
        (lambda: tool(name="has space")(lambda: 1), "cannot be the name"),
        (lambda: tool(name="x" * 65)(lambda: 1), "cannot be the name"),
        (lambda: tool(42), "is not a function"),
    ],
)
def test_a_function_that_cannot_be_a_tool_says_why_at_once(define, says):
    with pytest.raises(ToolDefinitionError, match=says):
        define()


def test_an_annotation_that_no_json_can_fill_says_which_tool():
    class Handle:
        pass

    def read(handle: Handle) -> str:
        return ""

    read.__annotations__["handle"] = Handle
    with pytest.raises(ToolDefinitionError, match="'read' has a parameter that no JSON can fill"):
        tool(read)


def test_the_registry_finds_by_name_category_tag_and_text():
    registry = ToolRegistry()
    registry.register(lambda city: "sun", name="weather", tags=["outside"], category="facts", description="Sky now")
    registry.register(lambda a: a, name="echo", category="text")
    assert [t.name for t in registry.find("sky")] == ["weather"]
    assert [t.name for t in registry.find(tag="outside")] == ["weather"]
    assert [t.name for t in registry.find(category="text")] == ["echo"]
    with pytest.raises(UsageError, match="Did you mean 'weather'"):
        registry.get("wether")
    with pytest.raises(ToolDefinitionError, match="two tools named 'echo'"):
        registry.register(lambda b: b, name="echo")
    registry.unregister("echo")
    assert "echo" not in registry
    assert len(registry) == 1


@tool
def take(number: int, ratio: float, text: str, flags: list[bool]) -> None:
    "Take one value of each kind."


@given(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(), st.lists(st.booleans()))
def test_values_of_a_signature_survive_the_way_through_json(number, ratio, text, flags):
    sent = json.dumps({"number": number, "ratio": ratio, "text": text, "flags": flags})
    got = take.arguments(ToolCall(id="1", name="take", arguments=sent), RuntimeContext())
    assert got == {"number": number, "ratio": ratio, "text": text, "flags": flags}
