"""Which names of the notebook a cell reads and which it writes.

One idea: this is read from its source, before it runs; what only running it would show is not seen.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable
from functools import lru_cache

import msgspec

from lumos_nb.errors import LumosError
from lumos_nb.notebook.interpolate import expressions
from lumos_nb.notebook.options import parse

_CELL_MAGIC = re.compile(r"\s*%%(\w+)[ \t]*(.*)(?:\n|$)")
_NO_PYTHON = frozenset(
    "bash cmd html HTML javascript js latex markdown perl pypy ruby script sh svg sx system writefile".split()  # noqa: SIM905
)


class Names(msgspec.Struct, frozen=True):
    """Names that a cell reads from the notebook and names that it writes, sorted."""

    read: tuple[str, ...] = ()
    written: tuple[str, ...] = ()


def names_of(source: str, transform: Callable[[str], str] = lambda text: text) -> Names:
    """Return the names of a cell.

    Args:
        source: As the person wrote it.
        transform: Turns lines of IPython into Python, as `shell.transform_cell` does.

    Example:
        >>> names_of("total = orders.sum() + tax")
        Names(read=('orders', 'tax'), written=('total',))
        >>> names_of("%%agent analyst -o answer\\nThe mean of {{ orders.mean() }}?")
        Names(read=('analyst', 'orders'), written=('answer',))
        >>> names_of("this is no Python")
        Names(read=(), written=())
        >>> names_of("import pandas as pd\\ndf = pd.DataFrame(rows)")
        Names(read=('rows',), written=('df',))
    """
    magic = _CELL_MAGIC.match(source)
    if magic is None:
        return _of_python(source, transform)
    name, line, body = magic[1], magic[2], source[magic.end() :]
    if name == "agent":
        return _of_agent(line, body)
    return Names() if name in _NO_PYTHON else names_of(body, transform)


def _of_agent(line: str, body: str) -> Names:
    try:
        options = parse(line)
        parts = [*expressions(body), *options.images, options.output_type or ""]
    except LumosError:
        return Names()
    listed = [options.agent, options.model, *(options.tools or "").split(",")]
    read = {name for name in (each.strip() for each in listed if each) if name.isidentifier()}
    for part in parts:
        read.update(_of_python(part).read)
    return Names(tuple(sorted(read)), (options.output,) if options.output else ())


def _of_python(source: str, transform: Callable[[str], str] = lambda text: text) -> Names:
    try:
        tree = ast.parse(transform(source))
    except (SyntaxError, ValueError, RecursionError):
        return Names()
    found = _Finder()
    found.visit(tree)
    return Names(tuple(sorted(found.read)), tuple(sorted(found.written)))


_KNOWN = frozenset(dir(builtins)) | {"get_ipython", "_", "__"}


class _Finder(ast.NodeVisitor):
    """Collects names of the top level in the order of execution, as near as the text tells it."""

    def __init__(self) -> None:
        self.read: set[str] = set()
        self.written: set[str] = set()
        self._imported: set[str] = set()

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load | ast.Del):
            self._reads(node.id)
        else:
            self.written.add(node.id)

    def _reads(self, name: str) -> None:
        if name not in self.written | self._imported and name not in _KNOWN:
            self.read.add(name)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self._reads(node.target.id)
        self.visit(node.value)
        self.visit(node.target)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        self.visit(node.target)
        for part in (*node.body, *node.orelse):
            self.visit(part)

    visit_AsyncFor = visit_For

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        """Note names that are the cell's own; nothing is out of date because a package was imported again."""
        self._imported.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)

    visit_ImportFrom = visit_Import

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for part in (*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d)):
            self.visit(part)
        self.written.add(node.name)
        self._visit_inner(node, node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_inner(node, [node.body])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(part)
        self.written.add(node.name)
        self._visit_inner(node, node.body)

    def _visit_comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self._visit_inner(node, [*node.generators, *results])

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _visit_comprehension

    def visit_comprehension(self, node: ast.comprehension) -> None:
        self.visit(node.iter)
        self.visit(node.target)
        for test in node.ifs:
            self.visit(test)

    def _visit_inner(self, node: ast.AST, body: list[ast.expr] | list[ast.stmt] | list[ast.AST]) -> None:
        """Look into a scope of its own: what it writes is its own, what it only reads is the notebook's."""
        inner = _Finder()
        arguments = getattr(node, "args", None)
        if isinstance(arguments, ast.arguments):
            every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
            inner.written.update(a.arg for a in every if a is not None)
        for part in body:
            inner.visit(part)
        self.written.update(n for g in ast.walk(node) if isinstance(g, ast.Global) for n in g.names)
        for name in inner.read:
            self._reads(name)


@lru_cache(32)
def cached_names(source: str, transform: Callable[[str], str]) -> Names:
    """Return `names_of`, remembered: a cell may begin many runs."""
    return names_of(source, transform)
