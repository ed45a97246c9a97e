"""What a hot path costs does not grow unseen: in instructions, as these can be told from noise."""

import pytest

from tests.bench import instructions
from tests.bench.instructions import KEEP, MAY_GROW_BY
from tests.bench.paths import PATHS


@pytest.fixture(scope="module")
def figures():
    """What is taken now, and what was taken by the same build of Python when it was kept."""
    if not instructions.has_valgrind():
        pytest.skip("There is no valgrind: nobody checked that the hot paths still take as few instructions.")
    kept = instructions.kept()
    if not kept:
        pytest.skip(f"No instruction counts are kept for {instructions.kind()}. Keep those of now: {KEEP}")
    found = instructions.counted()
    before = instructions.of_same_build(found, kept)
    if before is None:
        rulers = ", ".join(f"{each['ruler']:,.0f}" for each in kept)
        pytest.skip(
            f"No instruction counts are kept for this build of {instructions.kind()}, its SQLite and msgspec: work "
            f"without this project takes {found['ruler']:,.0f}, and {rulers} where they were kept. Keep anew: {KEEP}"
        )
    return found, before


@pytest.mark.parametrize("path", PATHS)
def test_a_hot_path_takes_as_few_instructions_as_before(path, figures):
    found, before = figures
    growth = found[path] / before[path] - 1
    assert growth <= MAY_GROW_BY, (
        f"{path} takes {growth:+.1%} instructions: {found[path]:,.0f} a turn, {before[path]:,.0f} were kept; "
        f"{MAY_GROW_BY:.0%} more is the most. Find what it does now that it did not before (tests/bench/paths.py "
        f"says what a turn is). If it is worth it, keep the new figures: {KEEP}"
    )
