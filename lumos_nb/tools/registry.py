"""`ToolRegistry`: tools by name, category, tag and text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from lumos_nb.errors import ToolDefinitionError, UsageError, nearest
from lumos_nb.tools.function import Tool, tool, tool_of


class ToolRegistry:
    """A set of tools with distinct names, changed while it is in use.

    Example:
        >>> registry = ToolRegistry()
        >>> _ = registry.register(lambda city: "sunny", name="weather", tags=["outside"])
        >>> [t.name for t in registry.find(tag="outside")]
        ['weather']
        >>> registry.unregister("weather")
        >>> len(registry)
        0
    """

    def __init__(self, tools: Iterable[Tool | Callable[..., Any]] = ()) -> None:
        self._tools: dict[str, Tool] = {}
        for one in tools:
            self.register(one)

    def register(self, fn: Tool | Callable[..., Any], **options: Any) -> Tool:
        """Add a tool or a function; `options` are those of `@tool`.

        Raises:
            ToolDefinitionError: There is another tool of that name, or the function cannot be a tool.
        """
        made = tool(**options)(fn) if options else tool_of(fn)
        if self._tools.get(made.name, made) is not made:
            raise ToolDefinitionError(
                f"There are two tools named {made.name!r}.", hint='Give one another name: @tool(name="…").'
            )
        self._tools[made.name] = made
        return made

    def unregister(self, name: str) -> None:
        """Take a tool away; a run that has begun keeps it."""
        del self._tools[self.get(name).name]

    def get(self, name: str) -> Tool:
        """Return the tool of that name.

        Raises:
            UsageError: There is none; names the nearest.
        """
        if name not in self._tools:
            raise UsageError(f"There is no tool {name!r}.", hint=nearest(name, self._tools))
        return self._tools[name]

    def find(self, text: str = "", *, category: str | None = None, tag: str | None = None) -> list[Tool]:
        """Return tools whose name or description holds `text`, of a category, with a tag."""
        needle = text.lower()
        return [
            t
            for t in self._tools.values()
            if needle in f"{t.name} {t.description}".lower()
            and category in (None, t.category)
            and (tag is None or tag in t.tags)
        ]

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._tools.values())

    def __len__(self) -> int:
        return len(self._tools)

    def __contains__(self, name: object) -> bool:
        return name in self._tools
