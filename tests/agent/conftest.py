"""A database of its own for each test, and settings as they were."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lumos_nb import settings


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "lumos.db"
    monkeypatch.setenv("LUMOS_DB", str(path))
    settings.reset()
    yield path
    settings.reset()
