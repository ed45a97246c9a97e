"""What a hot path costs does not grow unseen: in instructions, as these can be told from noise."""

import pytest

from tests.bench import instructions
from tests.bench.instructions import KEEP, MAY_GROW_BY
from tests.bench.paths import PATHS


@pytest.fixture(scope="module")
def before():
    if not instructions.has_valgrind():
        pytest.skip("There is no valgrind: nobody checked that the hot paths still take as few instructions.")
    figures = instructions.kept()
    if figures is None:
        pytest.skip(f"No instruction counts are kept for {instructions.kind()}. Keep those of now: {KEEP}")
    return figures


@pytest.fixture(scope="module")
def found(before):
    found = instructions.counted()
    if not instructions.is_comparable(found, before):
        pytest.skip(
            f"Python or a library is another build than the counts of {instructions.kind()} were kept with: work "
            f"without this project takes {found['ruler'] / before['ruler'] - 1:+.1%} instructions. Keep anew: {KEEP}"
        )
    return found


@pytest.mark.parametrize("path", PATHS)
def test_a_hot_path_takes_as_few_instructions_as_before(path, before, found):
    growth = found[path] / before[path] - 1
    assert growth <= MAY_GROW_BY, (
        f"{path} takes {growth:+.1%} instructions: {found[path]:,.0f} a turn, {before[path]:,.0f} were kept; "
        f"{MAY_GROW_BY:.0%} more is the most. Find what it does now that it did not before (tests/bench/paths.py "
        f"says what a turn is). If it is worth it, keep the new figures: {KEEP}"
    )
