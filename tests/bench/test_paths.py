"""The hottest paths work, and `make bench` prints their times; `test_instructions` holds what they cost."""

import pytest

from tests.bench.paths import PATHS


@pytest.mark.parametrize("name", PATHS)
def test_a_hot_path_runs(name, benchmark):
    with PATHS[name]() as run:
        benchmark(run)
