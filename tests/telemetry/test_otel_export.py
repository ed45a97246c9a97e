"""Sending never costs a run anything: not where the collector is slow, refuses, is gone, or was never there."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time

import pytest

from lumos_nb import Agent, settings
from lumos_nb.errors import SettingsError
from lumos_nb.stores import default_store
from lumos_nb.telemetry import otel
from lumos_nb.telemetry.otel import export, sending
from lumos_nb.testing import ScriptedProvider
from tests.telemetry.collector import Collector, values

NOBODY = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def own_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("LUMOS_DB", str(tmp_path / "lumos.db"))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    settings.reset()
    yield
    settings.reset()
    settings.configure(otlp="")
    Agent("last", model=ScriptedProvider(["."])).generate_sync("x")  # the next run follows the settings
    settings.reset()


def run(name="a", **options):
    return Agent(name, model=ScriptedProvider(["Hello."])).generate_sync("Hi", **options)


@pytest.mark.parametrize("status, delay_s", [(503, 0.0), (400, 0.0), (200, 30.0)], ids=["busy", "refuses", "slow"])
def test_a_run_ends_although_the_collector_does_not_take_its_trace(status, delay_s):
    with Collector(status, delay_s) as collector:
        settings.configure(otlp=collector.url)
        assert [run().response for _ in range(20)] == ["Hello."] * 20
        assert otel.flush(0.0) is False  # the runs are over, and their traces still under way
        assert otel.flush(30)
        stats = otel.stats()
        assert stats.n_runs == 20 and stats.n_spans == 0 and stats.n_spans_lost == 40 and stats.n_metrics_lost >= 1
        assert stats.last_error


def test_nobody_listens():
    settings.configure(otlp=NOBODY)
    assert run().response == "Hello."
    assert otel.flush(20) and otel.stats().n_spans_lost == 2


def test_what_was_lost_can_be_sent_later_from_the_database():
    settings.configure(otlp=NOBODY)
    lost = run()
    otel.flush(20)
    with Collector() as collector:
        settings.configure(otlp=collector.url)
        assert otel.send([lost.run_id]).n_spans == 2
        assert {s.name for s in collector.spans} == {"invoke_agent a", "chat script"}


def test_more_runs_than_may_wait_are_dropped_and_counted(monkeypatch):
    monkeypatch.setattr(export, "MAX_QUEUED", 3)
    with Collector(delay_s=0.3) as collector:
        settings.configure(otlp=collector.url)
        run()
        exporter = sending._exporter
        for n in range(50):
            exporter.add(default_store(), f"r{n}")
        assert exporter.stats().n_runs_dropped >= 40


def test_a_collector_that_is_broken_in_other_ways_does_not_end_the_thread(monkeypatch):
    settings.configure(otlp="http://[not an address")
    assert run().response == "Hello."
    assert otel.flush(20)
    stats = otel.stats()
    assert stats.last_error and stats.n_spans == 0
    assert any(t.name == "lumos-otel" and t.is_alive() for t in threading.enumerate())


def test_a_name_and_password_in_the_address_are_not_shown(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://ada:secret@127.0.0.1:9")
    settings.reset()
    run()
    assert otel.flush(20) and "secret" not in repr(otel.stats())
    with pytest.raises(SettingsError, match="OTEL_EXPORTER_OTLP_HEADERS") as caught:
        settings.configure(otlp="http://ada:secret@127.0.0.1:9")
    assert "secret" not in str(caught.value)


def test_the_last_error_says_why(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "3")  # long enough for a second try
    settings.configure(otlp="http://localhost:9")
    run()
    assert otel.flush(20) and "refused" in otel.stats().last_error.lower()


def test_nothing_is_printed_where_a_collector_is_not_there(capfd):
    settings.configure(otlp=NOBODY)
    run()
    otel.flush(20)
    assert capfd.readouterr() == ("", "")
    assert not logging.getLogger("opentelemetry").handlers


def test_headers_and_resource_come_from_the_standard_variables(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=blue")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=reports,deployment.environment=test")
    with Collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{collector.url}/v1/traces")
        monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
        settings.reset()
        run()
        assert otel.flush(10)
        (path, headers, _), *_ = collector.requests
        assert path == "/v1/traces" and headers["x-team"] == "blue"
        assert headers["content-encoding"] == "gzip"
        assert collector.resource["service.name"] == "reports"
        assert collector.resource["deployment.environment"] == "test"
        assert {p for p, _, _ in collector.requests} == {"/v1/traces"}


def test_the_address_of_traces_does_for_the_collector():
    with Collector() as collector:
        settings.configure(otlp=f"{collector.url}/v1/traces/")
        run()
        assert otel.flush(10) and {p for p, _, _ in collector.requests} == {"/v1/traces", "/v1/metrics"}


def test_a_wish_for_grpc_is_answered_in_the_statistics(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", NOBODY)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    settings.reset()
    assert run().response == "Hello." and otel.flush(10)
    assert "http/protobuf" in otel.stats().last_error


def test_the_standard_switch_turns_it_off(monkeypatch):
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    with Collector() as collector:
        settings.configure(otlp=collector.url)
        run()
        assert otel.flush(5) and collector.requests == [] and otel.stats().endpoint == ""


def test_runs_that_are_not_recorded_and_traces_that_the_caller_does_not_keep_are_not_sent():
    from lumos_nb import RuntimeContext

    with Collector() as collector:
        settings.configure(otlp=collector.url, enable_telemetry=False)
        run("unrecorded", thread_id="t")
        settings.configure(enable_telemetry=True)
        run("unsampled", context=RuntimeContext(traceparent=f"00-{'a' * 32}-{'b' * 16}-00"))
        run("kept")
        assert otel.flush(10)
        agents = {values(s.attributes)["gen_ai.agent.name"] for s in collector.spans}
        assert agents == {"kept"}


def test_one_run_is_sent_once_also_where_it_asked_for_several_settings():
    with Collector() as collector:
        settings.configure(otlp=collector.url)
        run()
        settings.configure(max_steps=3)
        run()
        assert otel.flush(10) and len(collector.spans) == 4


PROGRAM = """
import time
from lumos_nb import Agent
from lumos_nb.testing import ScriptedProvider
Agent("p", model=ScriptedProvider(["Hello."])).generate_sync("Hi")
print(time.time(), flush=True)
"""


def program(tmp_path, **variables):
    env = {**os.environ, "LUMOS_DB": str(tmp_path / "p.db"), **variables}
    out = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, timeout=60, check=True
    )
    assert out.stderr == ""
    return time.time() - float(out.stdout)


def test_a_program_that_ends_at_once_has_sent_its_trace(tmp_path):
    with Collector() as collector:
        program(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
        assert {s.name for s in collector.spans} == {"invoke_agent p", "chat script"}
        assert "lumos.runs" in collector.metrics


def test_a_collector_that_does_not_answer_does_not_hold_up_the_end_of_a_program(tmp_path):
    with Collector(delay_s=60) as collector:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_EXPORTER_OTLP_TIMEOUT": "50"}
        assert program(tmp_path, **variables) < 30


def test_a_collector_that_is_gone_leaves_no_words_at_the_end_of_a_program(tmp_path):
    assert program(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=NOBODY, OTEL_EXPORTER_OTLP_TIMEOUT="20") < 30


def test_without_the_library_runs_go_on_and_the_statistics_say_what_to_install(tmp_path):
    program = PROGRAM + (
        "from lumos_nb.telemetry import otel\notel.flush(5)\nprint(otel.stats().last_error)\nimport sys\n"
    )
    hide = "import sys\nsys.modules['opentelemetry.exporter'] = None\n"
    env = {**os.environ, "LUMOS_DB": str(tmp_path / "p.db"), "LUMOS_OTLP": NOBODY}
    out = subprocess.run([sys.executable, "-c", hide + program], env=env, capture_output=True, text=True, check=True)
    assert "pip install 'lumos-nb[otel]'" in out.stdout and out.stderr == ""


def test_nothing_of_it_is_loaded_where_nobody_asks_for_it():
    code = (
        "from lumos_nb import Agent\nfrom lumos_nb.testing import ScriptedProvider\nimport sys, json\n"
        "Agent('a', model=ScriptedProvider(['x'])).generate_sync('Hi')\nprint(json.dumps(sorted(sys.modules)))"
    )
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert not {m for m in loaded if m.startswith(("opentelemetry", "lumos_nb.telemetry"))}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_process_sends_its_own_runs(tmp_path):
    code = (
        "import os\n" + PROGRAM + "if (child := os.fork()):\n    os.waitpid(child, 0)\n"
        "else:\n    Agent('child', model=ScriptedProvider(['x'])).generate_sync('Hi')\n"
        "    from lumos_nb.telemetry import otel\n    otel.flush(10)\n    os._exit(0)\n"
    )
    with Collector() as collector:
        env = {**os.environ, "LUMOS_DB": str(tmp_path / "p.db"), "LUMOS_OTLP": collector.url}
        subprocess.run([sys.executable, "-W", "ignore", "-c", code], env=env, check=True, timeout=60)
        names = [s.name for s in collector.spans]
    assert sorted(n for n in names if n.startswith("invoke")) == ["invoke_agent child", "invoke_agent p"]
