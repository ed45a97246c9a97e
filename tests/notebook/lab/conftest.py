"""Pages that are linked to the module's kernel."""

from collections.abc import Callable, Iterator

import pytest

from tests.kernels import Kernel
from tests.notebook.lab.labpage import LabPage


@pytest.fixture
def new_page(kernel: Kernel) -> Iterator[Callable[..., LabPage]]:
    """Make pages, that are closed at the end."""
    made: list[LabPage] = []

    def make(**options: str) -> LabPage:
        made.append(LabPage(kernel, **options))
        return made[-1]

    yield make
    for page in made:
        page.close()


@pytest.fixture
def page(new_page: Callable[..., LabPage]) -> LabPage:
    return new_page().open()
