"""The fixtures, in a project of a user's own: recorded once, played ever after, by a pytest of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lumos_nb.testing import FakeServer

ROOT = Path(__file__).parents[2]

TEST = """
import os
import pytest
from lumos_nb import Agent, llm
from lumos_nb.testing import Fault, check

agent = Agent("a", model=llm("mine/m", base_url=os.environ.get("MODEL_URL", "http://127.0.0.1:9/v1")))


def test_hello(tape, run_snapshot):
    result = agent.generate_sync("Hello")
    check(result).said("hello").steps_at_most(1)
    run_snapshot(result)


@pytest.mark.tape("tapes/test_it/test_hello.tape.jsonl", rechunk="bytes", time="virtual")
def test_in_pieces(tape):
    assert "Hello" in agent.generate_sync("Hello").response


@pytest.mark.tape("tapes/test_it/test_hello.tape.jsonl", faults=[Fault(how="refuse", retry_after_s=30)])
def test_a_bad_day(tape):
    assert agent.generate_sync("Hello").steps[0].attempt == 2
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "test_it.py").write_text(TEST)

    def run(*options, test="", **environment):
        env = {k: v for k, v in os.environ.items() if not k.startswith("LUMOS_") and k != "CI"}
        env |= {"PYTHONPATH": str(ROOT), "LUMOS_DB": str(tmp_path / "l.db"), **environment}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"test_it.py{test}", *options]
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)

    return run


def test_a_tape_is_recorded_once_and_played_without_a_server(project, tmp_path):
    before = project(test="::test_hello")
    assert before.returncode == 1 and "--lumos-record" in before.stdout
    with FakeServer(["Hello there"]) as server:
        done = project("--lumos-record", "--lumos-update", test="::test_hello", MODEL_URL=server.base_url)
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "tapes/test_it/test_hello.tape.jsonl").exists()
    assert '"response": "Hello there"' in (tmp_path / "snapshots/test_it/test_hello.json").read_text()
    played = project(CI="true")
    assert played.returncode == 0, played.stdout
    assert "3 passed" in played.stdout


def test_nothing_is_recorded_in_ci_however_it_is_asked_for(project, tmp_path):
    with FakeServer(lambda _: "Hello there") as server:
        refused = project(test="::test_hello", MODEL_URL=server.base_url, CI="1", LUMOS_TAPE="record")
        assert refused.returncode == 1 and "Nothing is recorded in CI" in refused.stdout
        refused = project("--lumos-record", test="::test_hello", MODEL_URL=server.base_url, CI="1")
        assert refused.returncode == 4 and "nothing is recorded in CI" in refused.stderr
        assert not server.requests and not (tmp_path / "tapes").exists()
        done = project("--lumos-record", "--lumos-update", test="::test_hello", MODEL_URL=server.base_url, CI="false")
    assert done.returncode == 0, done.stdout + done.stderr


def test_without_a_tape_the_model_is_asked(project, tmp_path):
    with FakeServer(["Hello there"]) as server:
        done = project("--lumos-no-tape", "--lumos-update", test="::test_hello", MODEL_URL=server.base_url)
        assert len(server.requests) == 1
    assert done.returncode == 0, done.stdout
    assert not (tmp_path / "tapes").exists()


def test_what_was_not_recorded_or_never_asked_fails(project, tmp_path):
    with FakeServer(["Hello there"]) as server:
        project("--lumos-record", "--lumos-update", test="::test_hello", MODEL_URL=server.base_url)
    code = tmp_path / "test_it.py"
    code.write_text(code.read_text().replace('generate_sync("Hello")\n    check', 'generate_sync("Hallo")\n    check'))
    missed = project(test="::test_hello")
    assert missed.returncode == 1 and "TapeMiss" in missed.stdout and "messages[0]" in missed.stdout
    code.write_text("def test_hello(tape):\n    pass\n")
    unused = project(test="::test_hello")
    assert unused.returncode == 1 and "TapeUnused" in unused.stdout


def test_a_refresh_of_a_test_that_fails_drops_nothing(project, tmp_path):
    code, tape = tmp_path / "test_it.py", tmp_path / "tapes/test_it/test_two.tape.jsonl"
    two = 'def test_two(tape):\n    agent.generate_sync("One")\n    STOP\n    agent.generate_sync("Two")\n'
    code.write_text(TEST.partition("def test_hello")[0] + two.replace("STOP", "pass"))
    with FakeServer(["1", "2"]) as server:
        assert project("--lumos-record", MODEL_URL=server.base_url).returncode == 0
    recorded = tape.read_bytes()
    code.write_text(TEST.partition("def test_hello")[0] + two.replace("STOP", "assert False"))
    assert project("--lumos-refresh").returncode == 1
    assert tape.read_bytes() == recorded


def test_clock_and_ids_are_the_same_each_time(project, tmp_path):
    (tmp_path / "test_it.py").write_text(
        "from lumos_nb import Agent\nfrom lumos_nb.testing import ScriptedProvider\n"
        "def test_it(lumos_clock, lumos_ids):\n"
        "    lumos_clock.advance(5)\n"
        "    run = Agent('a', model=ScriptedProvider(['Hi'])).generate_sync('Hello')\n"
        "    assert run.run_id.endswith('0001') and run.duration_s == 0\n"
        "    assert run.steps[0].started_at == 1767225605.0\n"
    )
    assert project().returncode == 0 and project().returncode == 0
