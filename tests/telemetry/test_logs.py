"""Lines of a log: one a record, joined to traces by their ids, and none where nobody asked."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys

import pytest

import lumos_nb as lumos
from lumos_nb import Agent, settings
from lumos_nb.errors import UsageError
from lumos_nb.messages import ToolCall
from lumos_nb.telemetry import logs
from lumos_nb.testing import ScriptedProvider
from lumos_nb.transport import default_transport
from tests.kernels import Kernel
from tests.telemetry import golden

WILD = 'a\nb\r\u2028\u202e\x1b[31m\x00 🎉 \ud83d "q" = \\'

NAME = WILD.replace("\ud83d", "")


@pytest.fixture(autouse=True)
def database(tmp_path, monkeypatch):
    monkeypatch.setenv("LUMOS_DB", str(tmp_path / "lumos.db"))
    settings.reset()
    yield
    settings.reset()
    logs.follow(settings.LumosConfig())


def lines_of(path):
    return [json.loads(line) for line in path.read_text().split("\n") if line]


async def test_every_kind_of_run_has_its_lines_with_the_ids_of_its_trace(tmp_path, monkeypatch):
    path = tmp_path / "run.log"
    with golden.served() as server:
        monkeypatch.setenv("LUMOS_VENDORS", json.dumps({"mine": {"base_url": server.base_url}}))
        settings.reset()
        settings.configure(log="json", log_file=str(path))
        await golden.record(server.base_url)
        await default_transport().aclose()
    lines, runs = lines_of(path), lumos.runs().set_index("run_id")
    begun, ended = ([line for line in lines if line["message"] == m] for m in ("run begun", "run ended"))
    assert {line["run_id"] for line in begun} == {line["run_id"] for line in ended} == set(runs.index)
    assert len(begun) == len(ended) == len(runs)
    for line in ended:
        row = runs.loc[line["run_id"]]
        assert (line["status"], line["trace_id"], line["agent"]) == (row.status, row.trace_id, row.agent)
        assert line["duration_s"] == pytest.approx(row.duration_s, abs=0.2)
        if row.status == "completed":
            assert (line["input_tokens"], line["output_tokens"]) == (row.input_tokens, row.output_tokens)
    (failed,) = [line for line in lines if line["message"] == "tool failed"]
    assert (failed["tool"], failed["error"], failed["level"]) == ("broken", "ValueError", "warning")
    (again,) = [line for line in lines if line["message"] == "asked again"]
    assert again["attempt"] == 1 and "503" in again["reason"]
    assert {line["level"] for line in ended} == {"info", "error"}
    assert golden.SECRET not in path.read_text()


@pytest.mark.parametrize("form", ["json", "text"])
def test_any_text_stays_on_one_line(form, tmp_path):
    path = tmp_path / "run.log"
    settings.configure(log=form, log_file=str(path))

    @lumos.tool
    def wild() -> str:
        raise ValueError(WILD)

    model = ScriptedProvider([ToolCall(id="c", name="wild", arguments="{}"), "Done."])
    Agent(NAME, model=model, tools=[wild]).generate_sync("Hi")
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    assert len(lines) == 4 and lines[-1] == "" and "\x1b" not in text
    if form == "json":
        assert {json.loads(line)["agent"] for line in lines[:-1]} == {NAME}
        assert json.loads(lines[1])["reason"].endswith(WILD.replace("\ud83d", "�"))
    else:
        assert not any(c in text for c in "\r\u2028\u202e\x00")
        assert " WARNING tool failed " in lines[1] and "error=ValueError" in lines[1]


def test_the_level_leaves_out_what_is_below_it(tmp_path):
    path = tmp_path / "run.log"
    settings.configure(log="json", log_file=str(path), log_level="error")
    Agent("a", model=ScriptedProvider(["x"])).generate_sync("Hi")
    with pytest.raises(UsageError):
        Agent("b", model=ScriptedProvider([])).generate_sync("Hi")
    assert [(line["agent"], line["status"]) for line in lines_of(path)] == [("b", "failed")]


def test_warnings_of_the_rest_of_the_library_are_lines_too(tmp_path):
    path = tmp_path / "run.log"
    settings.configure(log="json", log_file=str(path))
    Agent("a", model=ScriptedProvider(["x"])).generate_sync("Hi")

    def broken(events):
        raise RuntimeError("a subscriber's own fault")

    Agent("a", model=ScriptedProvider(["x"])).generate_sync("Hi", on_events=broken)
    (line,) = {line["message"]: line for line in lines_of(path) if line["level"] == "error"}.values()
    assert "A subscriber of run" in line["message"] and "a subscriber's own fault" in line["exception"]


def test_it_is_off_again_when_the_setting_is(tmp_path):
    path = tmp_path / "run.log"
    settings.configure(log="json", log_file=str(path))
    Agent("a", model=ScriptedProvider(["x"])).generate_sync("Hi")
    settings.configure(log="off")
    Agent("b", model=ScriptedProvider(["x"])).generate_sync("Hi")
    assert {line["agent"] for line in lines_of(path)} == {"a"}
    assert not logging.getLogger("lumos_nb").handlers


def test_a_program_writes_to_stderr_and_nothing_without_the_setting(tmp_path):
    code = (
        "from lumos_nb import Agent\nfrom lumos_nb.testing import ScriptedProvider\n"
        "Agent('a', model=ScriptedProvider(['x'])).generate_sync('Hi')"
    )

    def stderr(**env):
        given = {**os.environ, "LUMOS_DB": str(tmp_path / "p.db"), **env}
        return subprocess.run(
            [sys.executable, "-c", code], env=given, capture_output=True, text=True, check=True
        ).stderr

    assert stderr() == ""
    assert [json.loads(line)["message"] for line in stderr(LUMOS_LOG="json").splitlines()] == ["run begun", "run ended"]
    assert "INFO    run begun agent=a run_id=" in stderr(LUMOS_LOG="text")


def test_in_a_notebook_it_is_a_file_and_no_output_of_a_cell(tmp_path):
    kernel = Kernel(tmp_path, LUMOS_LOG="json", LUMOS_DB="nb.db")
    try:
        cell = kernel.run("Agent('a', model=ScriptedProvider(['x'])).generate_sync('Hi').response").ok()
        assert cell.text == "'x'"
        spilled = kernel.run(
            "lumos.configure(log_file='stderr'); Agent('a', model=ScriptedProvider(['x'])).generate_sync('x')"
        )
        assert '"message":"run begun"' in spilled.ok().text
    finally:
        kernel.close()
    assert [line["message"] for line in lines_of(tmp_path / "lumos.log")] == ["run begun", "run ended"]


@pytest.mark.parametrize("where", ["a folder", "a full disk", "a closed stderr"])
def test_a_log_that_cannot_be_written_costs_no_run_and_no_later_log(where, tmp_path, monkeypatch, capsys):
    if where == "a full disk" and not os.path.exists("/dev/full"):
        pytest.skip("This system has no /dev/full.")
    closed = (tmp_path / "closed").open("w")
    closed.close()
    files = {"a folder": tmp_path, "a full disk": "/dev/full", "a closed stderr": "stderr"}
    settings.configure(log="json", log_file=str(files[where]))
    with monkeypatch.context() as patched:
        if where == "a closed stderr":
            patched.setattr(sys, "stderr", closed)
        for _ in range(2):
            assert Agent("a", model=ScriptedProvider(["ok"])).generate_sync("q").response == "ok"
    said = capsys.readouterr().err
    assert said.count("cannot be written") == (where != "a closed stderr") and "Traceback" not in said
    settings.configure(log="json", log_file=str(tmp_path / "good.log"))
    Agent("a", model=ScriptedProvider(["ok"])).generate_sync("q")
    assert len(lines_of(tmp_path / "good.log")) == 2
