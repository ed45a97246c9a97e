"""A real kernel for each module."""

import os
from collections.abc import Iterator

import pytest

from lumos_nb.stores import open_store
from lumos_nb.telemetry.accounting import disagreements
from tests.kernels import INSTALLED, Kernel


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    made = Kernel(tmp_path_factory.mktemp("kernel"), os.environ.get("LUMOS_TEST_IPYKERNEL", INSTALLED))
    yield made
    made.close()
    if (path := made.folder / ".lumos" / "lumos.db").exists():  # whatever the tests did, the sums of its traces agree
        assert disagreements(open_store(path)) == []
