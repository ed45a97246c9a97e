"""Readers of every run: they hear all of it, and nothing that they do reaches the run."""

from __future__ import annotations

import sys

import pytest

import lumos_nb as lumos
from lumos_nb import Agent, settings, tool
from lumos_nb.agent import watching
from lumos_nb.agent.watching import watch_runs
from lumos_nb.messages import ToolCall
from lumos_nb.testing import ScriptedProvider


@pytest.fixture
def heard():
    found = []
    stop = watch_runs(lambda run, events: found.extend((run.info.agent, event.type) for event in events))
    yield found
    stop()


async def test_a_watcher_hears_of_every_run_also_of_those_within_a_run_until_it_is_stopped(heard):
    @tool
    async def ask() -> str:
        return (await Agent("inner", model=ScriptedProvider(["x"])).generate("Hi")).response

    model = ScriptedProvider([ToolCall(id="c", name="ask", arguments="{}"), "Done."])
    await Agent("outer", model=model, tools=[ask]).generate("Go")
    assert [a for a, kind in heard if kind == "generation_complete"] == ["inner", "outer"]
    assert ("inner", "run_start") in heard


async def test_when_a_run_has_ended_its_rows_can_be_read():
    statuses = []

    def look(run, events):
        if events[-1].type == "generation_complete":
            statuses.extend(run.log.store.select("runs", ["status"], where=[("run_id", "=", run.info.run_id)]))

    stop = watch_runs(look)
    try:
        await Agent("a", model=ScriptedProvider(["x"])).generate("Hi", thread_id="t")
    finally:
        stop()
    assert statuses == [("completed",)]


async def test_a_watcher_that_fails_does_not_touch_the_run_nor_the_other_watchers(heard, caplog):
    def broken(run, events):
        raise RuntimeError("its own fault")

    stop = watch_runs(broken)
    try:
        assert (await Agent("a", model=ScriptedProvider(["x"])).generate("Hi")).response == "x"
    finally:
        stop()
    assert ("a", "generation_complete") in heard and "its own fault" in caplog.text


async def test_a_reader_that_cannot_be_loaded_does_not_stop_a_run(monkeypatch, caplog):
    monkeypatch.setitem(watching.READERS, "lumos_nb.telemetry.not_there", lambda config: config.max_steps == 7)
    settings.configure(max_steps=7)
    assert (await Agent("a", model=ScriptedProvider(["x"])).generate("Hi")).response == "x"
    assert "lumos_nb.telemetry.not_there cannot follow the settings" in caplog.text
    watching._loaded.discard("lumos_nb.telemetry.not_there")


def test_every_reader_is_there_and_follows():
    from importlib import import_module

    for name in watching.READERS:
        assert callable(import_module(name).follow) and name in sys.modules
    assert lumos.__version__
