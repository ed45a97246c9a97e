"""A database of its own for each test, and settings as they were."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from lumos_nb import settings
from lumos_nb.stores import open_store
from lumos_nb.telemetry.accounting import disagreements
from lumos_nb.transport import default_transport


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "lumos.db"
    monkeypatch.setenv("LUMOS_DB", str(path))
    settings.reset()
    yield path
    settings.reset()
    if path.exists():  # whatever a test did, the sums of its traces agree
        assert disagreements(open_store(path)) == []


@pytest.fixture(autouse=True)
async def closed_connections() -> AsyncIterator[None]:
    yield
    await default_transport().aclose()
