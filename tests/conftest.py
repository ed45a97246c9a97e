"""No test leaves files open: a process may have only so many."""

from collections.abc import Iterator

import pytest

from lumos_nb.stores import close_stores


@pytest.fixture(autouse=True)
def closed_stores() -> Iterator[None]:
    yield
    close_stores()
