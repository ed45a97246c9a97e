"""Fixtures for tests of agents: a tape, a snapshot of a run, a clock that stands still, ids that are counted.

One idea: pytest finds them by itself where lumos_nb is installed; a test names what it needs.

```python
def test_the_analyst_looks_it_up(tape):
    result = analyst.generate_sync("What is the average order in the south?")
    check(result).called_tool("mean_order", region="south").steps_at_most(2)
```
`pytest --lumos-record` asks the model and writes `tapes/MODULE/TEST.tape.jsonl` beside the test; every other run
plays it, without key and network.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lumos_nb.clock import VirtualClock
    from lumos_nb.events import AgentGenerateResult
    from lumos_nb.tapes import Deck

_HAS_FAILED = pytest.StashKey[bool]()
_START = 1_767_225_600.0
"""When `lumos_clock` begins: 1 January 2026, 0:00 UTC."""


def pytest_configure(config: pytest.Config) -> None:
    """Say what the marker is for."""
    config.addinivalue_line(
        "markers", "tape(path='', **playing): which tape the test plays, and how: time, rechunk, faults"
    )


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Note whether a test failed: what is left on its tape says nothing then."""
    if call.excinfo is not None:
        item.stash[_HAS_FAILED] = True
    yield


@pytest.fixture
def tape(request: pytest.FixtureRequest) -> Iterator[Deck]:
    """The test's own tape in force: played, or recorded with `--lumos-record`.

    `@pytest.mark.tape("shared.tape.jsonl", time="virtual", rechunk="bytes", faults=[…])` names another file, beside
    the test, and how it is played; `tape.play(…)` does so within the test. What is on it and was never
    asked for fails the test.
    """
    from lumos_nb.tapes import Deck, Playing, using

    marker = request.node.get_closest_marker("tape")
    given, how = (marker.args, dict(marker.kwargs)) if marker is not None else ((), {})
    folder, name = request.path.parent / "tapes", _file_name(request.node.name)
    path = request.path.parent / given[0] if given else folder / request.path.stem / f"{name}.tape.jsonl"
    how["faults"] = tuple(how.get("faults", ()))
    remedy = f"pytest --lumos-record {request.node.nodeid}"
    deck = Deck(path, _mode(request.config), playing=Playing(**how), remedy=remedy)
    with using(deck), _clock_of(deck):
        try:
            yield deck
            if not request.node.stash.get(_HAS_FAILED, False):
                deck.check()
        finally:
            # A test that failed may not have come to ask all.
            deck.close(ran_all=not request.node.stash.get(_HAS_FAILED, False))


@pytest.fixture
def run_snapshot(request: pytest.FixtureRequest) -> Callable[[AgentGenerateResult], None]:
    """A function that compares a run with the one kept in `snapshots/MODULE/TEST.json`; `--lumos-update` writes it."""
    from lumos_nb.testing.snapshots import compare

    update, n = bool(request.config.getoption("--lumos-update", default=False)), 0

    def compared(run: AgentGenerateResult) -> None:
        nonlocal n
        n += 1
        name = _file_name(request.node.name) + ("" if n == 1 else f"-{n}")
        compare(run, request.path.parent / "snapshots" / request.path.stem / f"{name}.json", update=update)

    return compared


@pytest.fixture
def lumos_clock() -> Iterator[VirtualClock]:
    """A clock that stands still at 1 January 2026 until `lumos_clock.advance(seconds)`; all of lumos_nb reads it."""
    from lumos_nb.clock import VirtualClock, using

    clock = VirtualClock(_START)
    with using(clock):
        yield clock


@pytest.fixture
def lumos_ids(tmp_path: Path) -> Iterator[None]:
    """Ids that are counted from one, and a database of the test's own: the same rows each time."""
    from lumos_nb import ids, settings
    from lumos_nb.stores import close_stores

    before = settings.current().db
    settings.configure(db=str(tmp_path / "lumos.db"))
    ids.count_ids()
    try:
        yield
    finally:
        ids.count_ids(False)
        close_stores()
        settings.configure(db=before)


def _clock_of(deck: Deck) -> AbstractContextManager[None]:
    """Return the clock that the deck's time asks for, unless the test has one already."""
    from lumos_nb import clock

    time = deck.player.playing.time
    if not deck.is_replaying or clock.is_virtual() or time not in {"instant", "virtual"}:
        return nullcontext()
    return clock.using(clock.VirtualClock(_START) if time == "virtual" else None, waits=False)


def _mode(config: pytest.Config) -> str:
    from lumos_nb import settings
    from lumos_nb.tapes.modes import mode_of
    from lumos_nb.testing.plugin import asked_mode

    given = settings.current()
    return asked_mode(config) or ("replay-strict" if given.tape in {"auto", "off"} else mode_of(given))


def _file_name(test: str) -> str:
    return re.sub(r"[^\w.\[\]-]+", "_", test).replace("[", "-").replace("]", "")[:120]
