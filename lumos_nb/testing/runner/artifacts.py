"""What a notebook that is tested is given, and what it leaves: its settings, its database, its executed form.

One idea: two executions of a notebook find the same world, whoever starts them.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec

from lumos_nb.tapes.modes import SUFFIX
from lumos_nb.testing.runner.books import Book


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of all notebooks of a test run."""

    mode: str = "replay-strict"
    #: runs, all or none.
    compare: str = "runs"
    is_updating: bool = False
    with_live: bool = False
    timeout_s: float = 120.0
    kernel: str = ""
    output_dir: Path | None = None
    with_html: bool = False
    #: Paths in the output folder are as they are below this one.
    root: Path = Path()


class Artifacts:
    """The surroundings of one execution.

    Args:
        book: The notebook.
        wishes: What is asked of all.
    """

    def __init__(self, book: Book, wishes: Wishes) -> None:
        self.book, self.wishes = book, wishes

    @property
    def named(self) -> str:
        """The notebook as a command names it, from where the tests were started."""
        path, root = self.book.path.absolute(), self.wishes.root.absolute()
        return str(path.relative_to(root) if path.is_relative_to(root) else path)

    @property
    def _tape(self) -> Path:
        given = self.book.path.parent / os.environ.get("LUMOS_TAPE_FILE", "tapes")
        return given if given.suffix and not given.is_dir() else given / f"{self.book.path.stem}{SUFFIX}"

    def tape_before(self) -> bytes | None:
        """Return the tape that is to be recorded anew; None if there is none, or it is not."""
        return self._tape.read_bytes() if self.wishes.mode == "record" and self._tape.is_file() else None

    def put_back(self, tape: bytes) -> None:
        """Put a tape back where it was."""
        self._tape.write_bytes(tape)

    def write(self) -> None:
        """Write the executed notebook, and its page if it is asked for."""
        import nbformat

        assert self.wishes.output_dir is not None
        target = self._target(".ipynb")
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(self.book.node, target)
        if self.wishes.with_html:
            from nbconvert import HTMLExporter

            page, _ = HTMLExporter().from_notebook_node(self.book.node)
            target.with_suffix(".html").write_text(page, encoding="utf-8")

    def _target(self, suffix: str) -> Path:
        assert self.wishes.output_dir is not None
        path = self.book.path.absolute()
        root = self.wishes.root.absolute()
        below = path.relative_to(root) if path.is_relative_to(root) else Path(path.name)
        return self.wishes.output_dir / below.with_suffix(suffix)

    def _store(self, folder: Path) -> Path:
        if self.wishes.output_dir is None:
            return folder / "lumos.db"
        store = self._target(".lumos.db").absolute()
        store.parent.mkdir(parents=True, exist_ok=True)
        for old in store.parent.glob(f"{store.name}*"):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        return store

    def environment(self, folder: Path) -> dict[str, str]:
        """Return all environment variables of the kernel.

        Args:
            folder: Where the database goes if nobody wants to keep it.
        """
        own = {
            "LUMOS_TAPE": self.wishes.mode, "LUMOS_DB": str(self._store(folder)), "LUMOS_VIEW": "static",
            "PYTHONHASHSEED": "0", "JPY_SESSION_NAME": str(self.book.path.absolute()),
            "LUMOS_TEST_NOTEBOOK": self.named,
        }  # fmt: skip
        if self.wishes.mode == "replay-strict":
            own["CI"] = "true"
        inherited = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
        return {**inherited, **own}
