"""Makes a `%%agent` cell an awaited one.

One idea: IPython does not await what a cell magic returns, so the cell's text gets an `await`
before it. Only at the top of a cell: inside `%%time`, `%run` or a function nothing can be awaited
and the plain magic does the same work. Where somebody wrote the `await` it gets the twin that can be.
"""

from __future__ import annotations

import ast
import re
from contextvars import ContextVar
from typing import Any

_CALL = re.compile(r"^get_ipython\(\)\.run_cell_magic\((['\"])(?P<name>\w+)\1,")

_LINE_CALL = re.compile(r"^get_ipython\(\)\.run_line_magic\((['\"])(?P<name>\w+)\1, (['\"])(?P<word>\w+)\b")

#: IPython refuses a cell without a body in a way that passes silently; ours is an error.
_EMPTY = re.compile(r"''\)(?=\s*$)")

#: How deep this code is in cells that run: 0 while the text of a cell is read.
_depth: ContextVar[int] = ContextVar("lumos_cell_depth", default=0)


class Awaiting:
    """The hook in a shell; `install` and `remove` it."""

    def __init__(self, shell: Any, names: dict[str, str], line_names: dict[str, str]) -> None:
        self.shell = shell
        #: Cell magic to its awaited twin.
        self.names = names
        #: Line magic with its first word, such as "agent resume", to its awaited twin.
        self.line_names = line_names
        self._written = _WrittenAwait(names)

    def install(self) -> None:
        """Add the hook to the shell."""
        self.shell.input_transformers_post.append(self.transform)
        self.shell.ast_transformers.append(self._written)
        self.shell.events.register("pre_execute", self._enter)
        self.shell.events.register("post_execute", self._leave)

    def remove(self) -> None:
        """Take the hook out again."""
        self.shell.input_transformers_post.remove(self.transform)
        self.shell.ast_transformers.remove(self._written)
        self.shell.events.unregister("pre_execute", self._enter)
        self.shell.events.unregister("post_execute", self._leave)

    def transform(self, lines: list[str]) -> list[str]:
        """Rewrite a cell that is one call of our magic, and nothing else: the same text may stand in a string."""
        told = [line for line in lines if line.strip()]
        return [self._rewrite(told[0])] if len(told) == 1 else lines

    def _rewrite(self, line: str) -> str:
        match = _CALL.match(line)
        twin = match and self.names.get(match["name"])
        if line_match := _LINE_CALL.match(line):
            match, twin = line_match, self.line_names.get(f"{line_match['name']} {line_match['word']}")
        if not match or not twin:
            return line
        line = _EMPTY.sub(r"'\\n')", line)
        if _depth.get() or not self.shell.autoawait:
            return line
        return f"await {line[: match.start('name')]}{twin}{line[match.end('name') :]}"

    def _enter(self) -> None:
        _depth.set(_depth.get() + 1)

    def _leave(self) -> None:
        _depth.set(max(0, _depth.get() - 1))


class _WrittenAwait(ast.NodeTransformer):
    """Lets `await ip.run_cell_magic("agent", …)`, in a cell or in an `async def`, call the twin that can be awaited."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def visit_Await(self, node: ast.Await) -> ast.AST:
        match node.value:
            case ast.Call(func=ast.Attribute(attr="run_cell_magic"), args=[ast.Constant(value=str(name)) as told, *_]):
                told.value = self._names.get(name, name)
        return self.generic_visit(node)
