"""`lumos tape lint`, `lumos tape show` and `lumos tape diff`, on a tape of a real server's answers."""

import json
import re

import pytest

from lumos_nb import Agent, cli, clock, llm, tool
from lumos_nb.messages import ToolCall
from lumos_nb.tapes import Deck, using
from lumos_nb.tapes.scenes import SCENE, Scene
from lumos_nb.testing import Answer, FakeServer

CALL = ToolCall(id="call_1", name="mean_order", arguments='{"region": "south"}')
ANSWERS = [Answer(text="I look it up.", tool_calls=[CALL]), "It is $42.10.", "Nothing."]


@tool
def mean_order(region: str) -> str:
    """Average order of a region."""
    return "$42.10"


@pytest.fixture
def tape(tmp_path):
    """A tape of a notebook with two cells, beside the notebook."""
    path = tmp_path / "tapes" / "orders.tape.jsonl"
    cells = [{"id": "cell-a", "cell_type": "code"}, {"id": "cell-b", "cell_type": "code"}]
    (tmp_path / "orders.ipynb").write_text(json.dumps({"cells": cells}))
    return record(path, ["What is the average order?", "And in the north?"])


def record(path, prompts, answers=ANSWERS):
    with FakeServer(answers) as server:
        agent = Agent("analyst", model=llm("mine/fake-model", base_url=server.base_url), tools=[mean_order])
        with using(Deck(path, "record", notebook="orders.ipynb")) as deck:
            for cell, prompt in zip(("cell-a", "cell-b"), prompts, strict=True):
                token = SCENE.set(Scene(cell=cell))
                agent.generate_sync(prompt)
                SCENE.reset(token)
            deck.close()
    return path


def changed(path, old, new, name="changed.tape.jsonl"):
    text = path.read_text()
    assert old in text
    other = path.with_name(name)
    other.write_text(text.replace(old, new))
    return other


def lumos(capsys, *words):
    status = cli.main(["tape", *map(str, words)])
    return status, capsys.readouterr().out


def test_a_tape_as_it_was_recorded_has_nothing_wrong(tape, capsys):
    assert lumos(capsys, "lint", tape.parent.parent) == (0, "1 tape: 0 errors, 0 warnings\n")


def test_all_tapes_below_are_looked_at_unless_some_are_named(tape, capsys, monkeypatch):
    changed(tape, "fake-model", "sk-proj-0123456789abcdef")
    monkeypatch.chdir(tape.parent.parent)
    status, out = lumos(capsys, "lint")
    assert status == 1 and out.splitlines()[-1].startswith("2 tapes: ")
    assert lumos(capsys, "lint", "tapes/orders.tape.jsonl")[0] == 0


PLANTED = "planted-secret-2026"


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("What is", "sk-proj-0123456789abcdef", 2, "This line holds an OpenAI or Anthropic key."),
        ("What is", PLANTED, 2, "This line holds the value of SHOP_TOKEN."),
        ("What is", "cGxhbnRlZC1zZWNyZXQtMjAyNg==", 2, "This line holds the value of SHOP_TOKEN."),
        ("What is", "/home/ada/orders.csv", 2, "This line holds a path of somebody's home folder."),
        ('"headers":{"accept"', '"headers":{"x-gateway":"a","accept"', 2, "A header of this request does not belong"),
        ('"v":1', '"v":9', 1, "is of version 9"),
        ('{"k":"end","i":0,', '{"k":"end","i":7,', None, "belongs to request 7"),
        ('{"k":"request","i":1,', '{"k":"request","i":0,', None, "begins request 0 a second time"),
    ],
    ids=["a key", "a known secret", "a known secret in Base64", "a home", "a header", "a newer one", "order", "twice"],
)
def test_what_is_wrong_is_said_with_its_line(tape, capsys, monkeypatch, old, new, line, what):
    monkeypatch.setenv("SHOP_TOKEN", PLANTED)
    path = changed(tape, old, new)
    status, out = lumos(capsys, "lint", path)
    assert status == 1 and PLANTED not in out and "sk-proj" not in out
    place = re.escape(str(path)) + (rf":{line}: " if line else r":\d+: ")
    assert any(re.match(place, each) and what in each for each in out.splitlines()), out


def test_a_tape_that_was_cut_is_an_error(tape, capsys):
    tape.write_text(tape.read_text()[:-40])
    status, out = lumos(capsys, "lint", tape)
    assert status == 1 and "cut" in out


def test_a_file_that_is_not_there_is_said(capsys):
    assert cli.main(["tape", "lint", "no/such"]) == 1
    assert capsys.readouterr().err == "lumos: There is no 'no/such'. Name a tape, or a folder with tapes.\n"


def test_a_key_in_pieces_is_found(tape, capsys):
    pieces = [json.dumps(f'data: {{"delta": "{text}"}}\n\n') for text in ("sk-pro", "j-01234567", "89abcdef0")]
    lines = tape.read_text().splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith('{"k":"chunk","i":2,'))
    lines[at : at + 1] = [f'{{"k":"chunk","i":2,"t":0.1,"text":{piece}}}' for piece in pieces]
    tape.write_text("\n".join(lines) + "\n")
    status, out = lumos(capsys, "lint", tape)
    assert status == 1 and "The answer holds an OpenAI or Anthropic key, in pieces over several events." in out


def test_a_cell_that_is_gone_is_a_warning(tape, capsys):
    (tape.parent.parent / "orders.ipynb").write_text(json.dumps({"cells": [{"id": "cell-a"}]}))
    status, out = lumos(capsys, "lint", tape)
    assert status == 0 and "warning: The cell 'cell-b' is no longer in 'orders.ipynb'." in out


def test_an_old_tape_is_a_warning(tape, capsys):
    recorded = re.search(r'"recorded_at":"[^"]*"', tape.read_text())[0]
    status, out = lumos(capsys, "lint", changed(tape, recorded, '"recorded_at":"2020-01-01T00:00:00Z"'))
    assert status == 0 and re.search(r":1: warning: This tape is \d+ days old", out)


def test_a_conversation_that_changes_what_it_said_is_a_warning(tape, capsys):
    lines = tape.read_text().splitlines()
    second = next(n for n, line in enumerate(lines) if line.startswith('{"k":"request","i":1,'))
    lines[second] = lines[second].replace("You are", "Be") if "You are" in lines[second] else lines[second].replace(
        '"tools":[{', '"tools":[{"x":1,'
    )  # fmt: skip
    tape.write_text("\n".join(lines) + "\n")
    status, out = lumos(capsys, "lint", tape)
    assert status == 0 and f":{second + 1}: warning: Request 1 changes" in out


def test_show_has_a_line_for_each_request(tape, capsys):
    status, out = lumos(capsys, "show", tape)
    lines = out.splitlines()
    assert status == 0 and lines[0].startswith("of orders.ipynb · recorded 20") and lines[0].endswith("3 requests")
    assert re.match(r"0 +cell-a +fake-model +What is the average order\? +I look it up\. → mean_order\(…\) ", lines[2])
    assert re.match(r"1 +cell-a +fake-model +\$42\.10 +It is \$42\.10\. +\d+ \+ \d+ +200 .* complete$", lines[3])
    assert re.match(r"2 +cell-b +fake-model +And in the north\? +Nothing\. ", lines[4])


def test_show_has_one_request_whole(tape, capsys):
    status, out = lumos(capsys, "show", tape, "-i", 2)
    assert status == 0 and '"content": "And in the north?"' in out and "status 200" in out and "complete" in out
    assert cli.main(["tape", "show", str(tape), "-i", "9"]) == 1
    assert capsys.readouterr().err == "lumos: There is no request 9 on this tape. There is: 0, 1, 2.\n"


def test_diff_says_what_is_the_same_and_what_is_not(tape, capsys):
    assert lumos(capsys, "diff", tape, tape) == (0, "3 requests the same, 0 differences\n")
    with clock.using(None, waits=False):
        other = record(tape.with_name("b.tape.jsonl"), ["What is the usual order?", "And in the north?"], ["It is."])
    status, out = lumos(capsys, "diff", tape, other)
    said = out.splitlines()
    assert status == 1 and said[-1] == "0 requests the same, 3 differences"
    assert said[0].startswith("~ request 0 of cell 'cell-a' to fake-model: 'What is the average order?': messages[")
    assert said[1].startswith("- request 1 of cell 'cell-a'")
    assert said[2] == "= request 2 of cell 'cell-b' to fake-model: 'And in the north?': answered otherwise"
