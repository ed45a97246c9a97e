"""Every snippet of README and docs runs, in a real kernel, one after the other.

Blocks of `python` and of `text` that begin with a magic are cells; a comment `<!-- run … -->` is
a cell that the reader does not see. What a `sh` block calls must exist.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.kernels import Kernel

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^<!-- run\n(?P<hidden>.*?)^-->|^```(?P<kind>\w+)\n(?P<code>.*?)^```", re.M | re.S)


def blocks(page: Path) -> list[tuple[str, str]]:
    found = [
        ("python", m["hidden"]) if m["hidden"] else (m["kind"], m["code"]) for m in _BLOCK.finditer(page.read_text())
    ]
    return [(kind, code) for kind, code in found if kind != "text" or code.startswith("%")]


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p)], ids=lambda p: p.name)
def test_the_snippets_of_a_page_run(page, tmp_path):
    kernel = Kernel(tmp_path)
    try:
        for kind, code in blocks(page):
            if kind in {"python", "text"}:
                cell = kernel.run(code, timeout=120)
                assert cell.status == "ok", f"{page.name}:\n{code}\n{cell.error}"
            elif kind == "yaml":
                check_yaml(code)
            else:
                check_shell(code)
    finally:
        kernel.close()


def check_shell(code: str) -> None:
    """Each command must be one of our make targets or subcommands, or an installation."""
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)
    for line in filter(None, (line.split("#")[0].split() for line in code.splitlines())):
        assert line[0] in {"make", "pip", "lumos"}, line
        if line[0] == "make":
            assert line[1] in targets, line


def check_yaml(code: str) -> None:
    """A recipe must be YAML, and call only commands that there are."""
    for line in re.findall(r"(?:run|entry): ([^,\n}]+)", code):
        assert yaml.safe_load(code), code
        check_shell(line)


def test_links_of_readme_and_docs_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"
