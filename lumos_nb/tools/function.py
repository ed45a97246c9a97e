"""`Tool`: a function that a model may call, and `@tool`, which makes one.

One idea: a tool stays the function it was. It can be called as before; beside that it knows
its name, its schema, and where it wants to run.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, overload

from lumos_nb.context import RuntimeContext
from lumos_nb.errors import ToolDefinitionError, ToolError
from lumos_nb.messages import ToolCall, ToolSpec

_NAME_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


class Tool:
    """A function with what a model needs to call it. Made by `@tool`.

    Attributes:
        name: As the model sees it.
        description: From the docstring, unless given.
        category: For `ToolRegistry.find`.
        tags: For `ToolRegistry.find`.
        thread: Run it in a worker thread; else it runs where the cell runs.
        permission: allow, ask or deny, or a function of its arguments that returns one of these.
        side_effect: none, idempotent (may be done twice) or unsafe (never twice); empty if the author did not say.
        tape: Whether its calls are recorded and played with those of the model, where a tape is in force.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        *,
        name: str | None = None,
        description: str | None = None,
        category: str = "",
        tags: Sequence[str] = (),
        thread: bool = False,
        permission: str | Callable[..., str] = "allow",
        side_effect: str = "",
        tape: bool = False,
    ) -> None:
        if not callable(fn):
            raise ToolDefinitionError(f"{fn!r} is not a function.", hint="Decorate a function with @tool.")
        self.fn = fn
        self.name: str = name or str(getattr(fn, "__name__", type(fn).__name__))
        if not self.name or len(self.name) > 64 or not set(self.name) <= _NAME_CHARS:
            raise ToolDefinitionError(
                f"{self.name!r} cannot be the name of a tool.",
                hint='Models take letters, digits, _ and -, at most 64; pass @tool(name="…").',
            )
        self._description = description
        self.category = category
        self.tags = tuple(tags)
        self.thread = thread
        self.tape = tape
        self.permission: Any = _one_of("permission", permission, "allow", "ask", "deny")
        self.side_effect: str = _one_of("side_effect", side_effect, "", "none", "idempotent", "unsafe")
        self.is_async = inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(getattr(fn, "__call__", None))  # noqa: B004
        functools.update_wrapper(self, fn, updated=())
        self.spec  # noqa: B018  a tool that cannot be described fails here, not in a run

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.fn(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<Tool {self.name}{tuple(self.spec.parameters.get('properties', {}))}>"

    @cached_property
    def _schema(self) -> tuple[Any, dict[str, Any], str | None]:
        from lumos_nb.tools.schema import arguments_model

        return arguments_model(self.fn, self.name)

    @property
    def description(self) -> str:
        """What the tool does, as the model reads it."""
        return self.spec.description

    @cached_property
    def spec(self) -> ToolSpec:
        """Name, description and JSON schema."""
        from lumos_nb.tools.schema import describe

        text = self._description if self._description is not None else describe(self.fn)[0]
        return ToolSpec(name=self.name, description=text, parameters=self._schema[1])

    def arguments(self, call: ToolCall, context: RuntimeContext) -> dict[str, Any]:
        """Return keyword arguments for the function from what the model wrote.

        Raises:
            ToolError: The text is not JSON or does not fit the schema; tells the model where.

        Example:
            >>> rows = Tool(lambda limit=10: limit, name="rows")
            >>> rows.arguments(ToolCall(id="1", name="rows", arguments='{"limit": 5}'), RuntimeContext())
            {'limit': 5}
        """
        from pydantic import ValidationError

        model, _, context_name = self._schema
        try:
            values = model.model_validate(call.parsed())
        except ValidationError as error:
            problem = "; ".join(_problem(e) for e in error.errors(include_url=False))
        except ValueError as error:
            problem = f"they are not valid JSON ({error})"
        except RecursionError:
            problem = "they are nested too deeply"
        else:
            given = {name: getattr(values, name) for name in model.model_fields}
            return given if context_name is None else {**given, context_name: context.for_call(call.id)}
        raise ToolError(
            f"The arguments of {self.name!r} were not accepted: {problem}.",
            hint="Call it again with arguments that fit its schema.",
        )


def _one_of(name: str, value: Any, *known: str) -> Any:
    if value in known or (name == "permission" and callable(value)):
        return value
    raise ToolDefinitionError(
        f"{name} of a tool cannot be {value!r}.", hint=f"It is one of: {', '.join(k for k in known if k)}."
    )


def _problem(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"]) or "arguments"
    return f"{where}: {error['msg']}" + ("" if error["type"] == "missing" else f" (got {error['input']!r:.80})")


@overload
def tool(fn: Callable[..., Any], /) -> Tool: ...


@overload
def tool(
    *, name: str | None = None, description: str | None = None, category: str = "",
    tags: Sequence[str] = (), thread: bool = False,
    permission: str | Callable[..., str] = "allow", side_effect: str = "", tape: bool = False,
) -> Callable[[Callable[..., Any]], Tool]: ...  # fmt: skip


def tool(fn: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a tool of a function: schema from its signature, description from its docstring.

    Args:
        fn: The function; `@tool` and `@tool(name="…")` both work.
        options: `name`, `description`, `category`, `tags`; `thread=True` for a function that
            blocks for long and may run in a worker thread; `permission="ask"` for one that a person is
            asked about, or a function of the arguments that says so; `side_effect="unsafe"` for one that
            must never run twice; `tape=True` for one whose results change, such as a search: with a tape in
            force they are recorded, and played without calling it.

    Raises:
        ToolDefinitionError: The function cannot be described to a model.

    Example:
        >>> @tool
        ... def rows(table: str, limit: int = 10) -> str:
        ...     "First rows of a table."
        ...     return f"{limit} rows of {table}"
        >>> rows("orders")
        '10 rows of orders'
        >>> rows.spec.parameters["properties"]["limit"]
        {'default': 10, 'type': 'integer'}
    """
    if fn is None:
        return lambda f: Tool(f, **options)
    return fn if isinstance(fn, Tool) else Tool(fn, **options)


def tool_of(fn: Callable[..., Any]) -> Tool:
    """Return the tool that a function is by itself; it is described once, however many agents have it.

    Example:
        >>> def now() -> str: return "noon"
        >>> tool_of(now) is tool_of(now)
        True
    """
    if isinstance(fn, Tool):
        return fn
    # On the function, so that they end together; a copy of its attributes is another function's.
    made = getattr(fn, "__lumos_tool__", None)
    if isinstance(made, Tool) and made.fn is fn:
        return made
    made = Tool(fn)
    with contextlib.suppress(AttributeError, TypeError):  # a method, or an object with slots
        fn.__lumos_tool__ = made  # type: ignore[attr-defined]
    return made
