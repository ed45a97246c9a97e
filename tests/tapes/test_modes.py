"""What each mode does with the file and with the server; what CI and a cell allow."""

import asyncio
import os
import subprocess
import sys

import msgspec
import pytest

from lumos_nb import llm, settings, tapes
from lumos_nb.errors import CredentialError, LumosError, TapeDrift, TapeError, TapeMiss
from lumos_nb.messages import Message
from lumos_nb.tapes import Deck, modes, read_tape, using
from lumos_nb.tapes.scenes import SCENE, Place, Scene, set_place
from lumos_nb.testing import Answer, FakeServer, Reply
from lumos_nb.transport import default_transport

NOWHERE = "http://127.0.0.1:9/v1"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "t.tape.jsonl"


@pytest.fixture(autouse=True)
def nothing_in_force(monkeypatch, tmp_path):
    for name in ("CI", "LUMOS_TAPE", "LUMOS_TAPE_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    settings.reset()
    yield
    modes._deck = modes._of_cells = modes._followed = None
    modes._aside.clear()
    set_place(None)
    settings.reset()


@pytest.fixture
def configured(monkeypatch):
    def configure(**given):
        for name, value in given.items():
            monkeypatch.setenv(name, str(value))
        settings.reset()

    return configure


async def say(text, url=NOWHERE, **scene):
    SCENE.set(Scene(**scene))
    return (await llm("mine/m", base_url=url).generate([Message(role="user", content=text)])).text


def said(path):
    """Return the last words of the requests on a tape, and the answers."""
    import json

    tape = read_tape(path)
    return [
        (json.loads(bytes(each.request.body))["messages"][-1]["content"], each.request.cell)
        for each in tape.interactions
    ]


def upper(request):
    return request.body["messages"][-1]["content"].upper()


# ---- record ------------------------------------------------------------------------------


async def test_a_new_tape_takes_the_place_of_the_old_one_only_with_its_first_whole_interaction(path):
    with FakeServer(upper) as server:
        with using(Deck(path, "record")):
            await say("old", server.base_url)
        before = path.read_bytes()
        with using(Deck(path, "record")) as deck:
            assert path.read_bytes() == before
            await say("new", server.base_url)
            assert said(path) == [("new", "")]
            await say("newer", server.base_url)
            deck.close()
    assert said(path) == [("new", ""), ("newer", "")] and [p.name for p in path.parent.iterdir()] == [path.name]


async def test_the_file_is_a_whole_tape_after_each_request_and_grows_at_its_end(path):
    with FakeServer(upper) as server, using(Deck(path, "record")):
        await say("one", server.base_url)
        for n in range(5):
            before = path.read_bytes()
            await say(f"more {n}", server.base_url)
            assert path.read_bytes().startswith(before) and len(read_tape(path).interactions) == n + 2


def test_a_kill_in_the_middle_of_recording_leaves_a_tape_that_can_be_read(path):
    code = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom lumos_nb import llm\nfrom lumos_nb.messages import Message\n"  # noqa: E501
        "from lumos_nb.tapes import Deck, using\n"
        "async def main():\n"
        "    with using(Deck(Path(sys.argv[1]), 'record')):\n"
        "        for n in range(10_000):\n"
        "            await llm('mine/m', base_url=sys.argv[2]).generate([Message(role='user', content=f'say {n}')])\n"
        "            print(n, flush=True)\n"
        "asyncio.run(main())\n"
    )
    with FakeServer(upper) as server:
        for kill_at in (1, 7, 23):
            process = subprocess.Popen(
                [sys.executable, "-c", code, str(path), server.base_url], stdout=subprocess.PIPE, text=True
            )
            last = next(n for line in process.stdout if (n := int(line)) >= kill_at)
            process.kill()
            process.communicate()
            assert len(read_tape(path).interactions) > last


async def test_requests_at_once_stand_in_the_order_in_which_they_were_made(path):
    slow_first = {"a": 0.2, "b": 0.1, "c": 0.0}

    def script(request):
        text = request.body["messages"][-1]["content"]
        return Reply(answer=Answer(text=text), first_byte_delay_s=slow_first[text])

    with FakeServer(script) as server, using(Deck(path, "record")) as deck:
        await asyncio.gather(*(say(text, server.base_url) for text in "abc"))
        assert [text for text, _ in said(path)] == ["c", "b", "a"]
        deck.close()
    assert [text for text, _ in said(path)] == ["a", "b", "c"]


async def test_a_cell_that_is_run_again_while_recording_takes_the_place_of_its_first_run(path):
    with FakeServer(upper) as server, using(Deck(path, "record")):
        await say("one", server.base_url, cell="a", execution=1)
        await say("two", server.base_url, cell="b", execution=2)
        await say("three", server.base_url, cell="c", execution=3)
        await say("deux", server.base_url, cell="b", execution=4)
        await say("encore", server.base_url, cell="b", execution=4)
    assert said(path) == [("one", "a"), ("deux", "b"), ("encore", "b"), ("three", "c")]


async def test_two_decks_that_write_one_tape_are_told_apart_and_nothing_is_lost(path):
    with FakeServer(upper) as server:
        first, second = Deck(path, "record"), Deck(path, "record")
        with using(first):
            await say("first", server.base_url)
        with using(second):
            with pytest.raises(TapeError, match="written by something else meanwhile"):
                await say("second", server.base_url)
            with pytest.raises(TapeError, match="written by something else meanwhile"):
                await say("second again", server.base_url)
        assert len(server.requests) == 2, "what cannot be kept is not asked again"
        with using(first):
            await say("first again", server.base_url)
        with pytest.raises(TapeError, match="written by something else"):
            second.check()
    assert [text for text, _ in said(path)] == ["first", "first again"]


def test_two_processes_that_race_for_one_tape_leave_a_whole_one(path):
    code = (
        "import sys\nfrom pathlib import Path\nfrom lumos_nb.errors import TapeError\nfrom lumos_nb.tapes.format import *\n"  # noqa: E501
        "from lumos_nb.tapes.writing import TapeFile\nfile, n = TapeFile(Path(sys.argv[1])), 0\n"
        "print('ready', flush=True); input()\n"
        "try:\n"
        "    file.replace([Header(notebook=sys.argv[2])])\n"
        "    for n in range(300):\n"
        "        file.append([RequestLine(i=n, url=sys.argv[2]), EndLine(i=n, t=0.0, how='complete')])\n"
        "except TapeError: print('refused')\n"
        "else: print('done')\n"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(path), f"n{k}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for k in range(2)
    ]
    for each in both:
        each.stdout.readline()
    for each in both:
        each.stdin.write("\n")
        each.stdin.flush()
    ends = [each.communicate()[0].strip() for each in both]
    tape = read_tape(path)
    assert sorted(ends) == ["done", "refused"] and len(tape.interactions) == 300
    assert {each.request.url for each in tape.interactions} == {tape.header.notebook}


async def test_a_tape_of_another_notebook_is_neither_played_nor_written_over(path):
    with FakeServer(upper) as server, using(Deck(path, "record", notebook="one.ipynb")):
        await say("one", server.base_url)
    before = path.read_bytes()
    for mode in ("record", "replay", "replay-strict", "refresh", "verify"):
        with pytest.raises(TapeError, match=r"is of the notebook 'one.ipynb', not of 'two.ipynb'"):
            Deck(path, mode, notebook="two.ipynb")
    assert path.read_bytes() == before


def test_a_file_that_is_no_tape_is_not_written_over(path):
    path.write_text("my notes\n")
    with pytest.raises(TapeError, match=r"is no tape: .*It is not written over"):
        Deck(path, "record")
    assert path.read_text() == "my notes\n"


async def test_a_tape_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    deck = Deck(tmp_path / "file" / "t.tape.jsonl", "record")
    with FakeServer(upper) as server, using(deck), pytest.raises(TapeError, match="cannot be written: "):
        await say("Hi", server.base_url)


# ---- refresh -----------------------------------------------------------------------------


async def refreshed(path, asks, ran_all=True, script=upper):
    with FakeServer(script) as server, using(Deck(path, "refresh")) as deck:
        for cell, text in asks:
            await say(text, server.base_url, cell=cell, execution=ord(cell))
        deck.check()
        deck.close(ran_all=ran_all)
        return len(server.requests)


async def test_refresh_asks_only_what_changed_and_drops_what_is_no_longer_asked(path):
    cells = [("a", "one"), ("b", "two"), ("b", "three"), ("c", "four")]
    assert await refreshed(path, cells) == 4
    before = path.read_bytes()
    assert await refreshed(path, cells) == 0 and path.read_bytes() == before
    changed = [("a", "one"), ("b", "two"), ("b", "drei"), ("b", "more"), ("c", "four")]
    assert await refreshed(path, changed) == 2
    assert said(path) == [(text, cell) for cell, text in changed]
    assert await refreshed(path, changed[:1]) == 0 and said(path) == [("one", "a")]


async def test_refresh_of_a_part_of_the_notebook_keeps_the_other_cells(path):
    await refreshed(path, [("a", "one"), ("b", "two"), ("c", "three")])
    await refreshed(path, [("b", "zwei")], ran_all=False)
    assert sorted(said(path)) == [("one", "a"), ("three", "c"), ("zwei", "b")]


async def test_refresh_keeps_everything_if_something_did_not_come_to_its_end(path, monkeypatch):
    monkeypatch.setenv("LUMOS_MAX_RETRIES", "0")
    settings.reset()
    await refreshed(path, [("a", "one"), ("b", "two")])
    with FakeServer([Reply(answer=Answer(text="x y z"), cut_after=2)]) as server, using(Deck(path, "refresh")) as deck:
        with pytest.raises(LumosError):
            await say("new", server.base_url, cell="a")
        deck.close()
    assert [text for text, _ in said(path)] == ["one", "two", "new"]
    assert await refreshed(path, [("a", "new")]) == 1, "what broke off is asked again"
    assert said(path) == [("new", "a")]


async def test_refresh_needs_a_key_only_for_what_is_asked(path, monkeypatch):
    with FakeServer(upper) as server:
        carrier = To(server.base_url)
        for key, text, is_refused in (("key-1234567", "one", False), ("", "one", False), ("", "two", True)):
            monkeypatch.setenv("OPENAI_API_KEY", key)
            with using(Deck(path, "refresh")):
                ask = llm("openai/m", transport=carrier).generate([Message(role="user", content=text)])
                if is_refused:
                    with pytest.raises(CredentialError, match="no API key"):
                        await ask
                else:
                    assert (await ask).text == "ONE"
        assert len(server.requests) == 1 and server.requests[0].headers["authorization"] == "Bearer key-1234567"
    assert b"key-1234567" not in path.read_bytes()


class To:
    """A transport that takes what is sent to a vendor to a server of this machine."""

    def __init__(self, url):
        self.url = url

    def open(self, request):
        url = request.url.replace("https://api.openai.com/v1", self.url)
        return default_transport().open(msgspec.structs.replace(request, url=url))

    async def aclose(self):
        pass


# ---- a cell's own ------------------------------------------------------------------------


async def test_a_cell_records_over_what_it_had_and_plays_it_and_passes_by(path, configured):
    configured(LUMOS_TAPE_FILE=path)
    with FakeServer(upper) as server:
        url = server.base_url
        with using(Deck(path, "record")):
            for n, cell in enumerate("abc", start=1):
                await say(f"old {cell}", url, cell=cell, execution=n)
        assert await say("free", url, cell="b", execution=4) == "FREE"
        assert await say("new b", url, cell="b", execution=5, mode="record") == "NEW B"
        assert await say("newer b", url, cell="b", execution=5, mode="record") == "NEWER B"
        n_sent = len(server.requests)
        assert await say("new b", cell="b", execution=6, mode="replay") == "NEW B"
        assert await say("old c", cell="c", execution=7, mode="replay") == "OLD C"
        with pytest.raises(TapeMiss):
            await say("other", cell="c", execution=7, mode="replay")
        assert len(server.requests) == n_sent
        assert await say("live", url, cell="b", execution=8, mode="live") == "LIVE"
    assert said(path) == [("old a", "a"), ("new b", "b"), ("newer b", "b"), ("old c", "c")]


async def test_a_cell_records_on_a_tape_that_is_played_elsewhere(path):
    with FakeServer(upper) as server:
        with using(Deck(path, "record")):
            await say("one", server.base_url, cell="a", execution=1)
            await say("two", server.base_url, cell="b", execution=2)
        with using(Deck(path, "replay")):
            assert await say("one", cell="a", execution=1) == "ONE"
            assert await say("zwei", server.base_url, cell="b", execution=2, mode="record") == "ZWEI"
            assert await say("zwei", cell="b", execution=3) == "ZWEI"
    assert said(path) == [("one", "a"), ("zwei", "b")]


async def test_a_tape_that_was_recorded_elsewhere_meanwhile_is_read_anew_for_a_cell_that_plays(path, configured):
    configured(LUMOS_TAPE_FILE=path)
    with FakeServer(upper) as server:
        for word in ("one", "two"):
            with using(Deck(path, "record")):
                await say(word, server.base_url, cell="a")
            assert await say(word, cell="a", mode="replay") == word.upper()


# ---- settings, CI, folders ---------------------------------------------------------------


async def test_the_settings_put_a_tape_in_force_and_another_setting_leaves_it_there(path, configured):
    with FakeServer(upper) as server:
        configured(LUMOS_TAPE="record", LUMOS_TAPE_FILE=path)
        await say("one", server.base_url)
        deck = tapes.current()
        settings.configure(max_steps=3)
        assert tapes.current() is deck
        settings.configure(tape="replay-strict")
        assert tapes.current() is not deck and tapes.current().is_replaying
        assert await say("one") == "ONE"
        settings.configure(tape="off")
        assert tapes.current() is None


async def test_a_strict_tape_that_is_put_aside_and_taken_up_again_goes_on_where_it_was(path, configured):
    with FakeServer(upper) as server, using(Deck(path, "record")):
        await say("one", server.base_url)
        await say("two", server.base_url)
    configured(LUMOS_TAPE="replay-strict", LUMOS_TAPE_FILE=path)
    assert await say("one") == "ONE"
    settings.configure(tape="off")
    assert tapes.current() is None and len(modes.put_aside()) == 1
    settings.configure(tape="replay-strict")
    assert await say("two") == "TWO"
    tapes.current().check()
    assert not modes.put_aside()
    with pytest.raises(TapeMiss):
        await say("one")
    modes.close()


@pytest.mark.parametrize(("ci", "tape", "mode"), [
    ("true", "auto", "replay-strict"), ("1", "replay", "replay-strict"), ("", "auto", "off"), ("false", "auto", "off"),
    ("", "replay", "replay"), ("0", "replay", "replay"), ("yes", "off", "off"),
])  # fmt: skip
async def test_ci_forces_the_strict_mode(path, configured, ci, tape, mode):
    with FakeServer(upper) as server, using(Deck(path, "record")):
        await say("one", server.base_url)
    configured(CI=ci, LUMOS_TAPE=tape, LUMOS_TAPE_FILE=path)
    deck = tapes.current()
    assert (deck.mode if deck else "off") == mode
    assert deck is None or deck.player.playing.time == ("virtual" if mode == "replay-strict" else "instant")


@pytest.mark.parametrize("mode", ["record", "refresh", "verify"])
async def test_ci_records_nothing(path, configured, mode):
    configured(CI="true", LUMOS_TAPE=mode, LUMOS_TAPE_FILE=path)
    with pytest.raises(TapeError, match=f"Nothing is recorded in CI .*{mode}.* commit the tape"):
        await say("one")
    assert not path.exists()


async def test_ci_without_a_tape_asks_as_ever(path, configured):
    configured(CI="true", LUMOS_TAPE_FILE=path)
    with FakeServer(upper) as server:
        assert await say("one", server.base_url) == "ONE"


@pytest.mark.parametrize("with_tape", [True, False])
async def test_in_ci_a_cell_neither_records_nor_asks_a_real_server_unless_its_runner_lets_it(
    path, configured, with_tape
):
    with FakeServer(upper) as server:
        if with_tape:
            with using(Deck(path, "record")):
                await say("one", server.base_url)
        configured(CI="true", LUMOS_TAPE_FILE=path)
        with pytest.raises(TapeError, match="wants to record"):
            await say("one", server.base_url, mode="record")
        if not with_tape:
            return
        with pytest.raises(TapeError, match="wants a live answer"):
            await say("one", server.base_url, mode="live")
        with using(None):
            assert await say("two", server.base_url, mode="live") == "TWO"
            assert await say("three", server.base_url) == "THREE"
        assert await say("one") == "ONE"


async def test_a_notebook_without_a_name_looks_through_all_tapes_of_a_folder(tmp_path, configured):
    folder = tmp_path / "tapes"
    with FakeServer(upper) as server:
        for word in ("one", "two", "three"):
            with using(Deck(folder / f"{word}.tape.jsonl", "record", notebook=f"{word}.ipynb")):
                await say(word, server.base_url)
    configured(LUMOS_TAPE="replay-strict")
    assert await say("two") == "TWO" and await say("one") == "ONE"
    tapes.current().check()
    with pytest.raises(TapeMiss, match="is not on the tape 'tapes'"):
        await say("four")
    settings.configure(tape="record")
    with pytest.raises(TapeError, match="Which tape in .* Set LUMOS_TAPE_FILE"):
        await say("one")


async def test_a_notebook_with_a_name_has_a_tape_of_that_name(tmp_path, configured):
    set_place(lambda: Place(path=tmp_path / "sales.ipynb", folder=tmp_path / "tapes"))
    with FakeServer(upper) as server:
        configured(LUMOS_TAPE="record")
        await say("one", server.base_url)
        assert read_tape(tmp_path / "tapes" / "sales.tape.jsonl").header.notebook == "sales.ipynb"
        configured(LUMOS_TAPE="record", LUMOS_TAPE_FILE=tmp_path / "other")
        await say("one", server.base_url)
        assert (tmp_path / "other" / "sales.tape.jsonl").exists()


async def test_where_no_tape_can_be_meant_it_says_what_to_set(configured):
    for mode, file in (("record", ""), ("replay", ""), ("record", "not-there"), ("replay", "not-there")):
        configured(LUMOS_TAPE=mode, LUMOS_TAPE_FILE=file)
        with pytest.raises(TapeError, match="Which tape is meant is not known.* Set LUMOS_TAPE_FILE"):
            await say("one")


def test_a_process_that_ends_drops_what_its_cells_no_longer_ask(path):
    code = (
        "import asyncio, sys\nfrom lumos_nb import llm\nfrom lumos_nb.messages import Message\n"
        "from lumos_nb.tapes.scenes import SCENE, Scene\nSCENE.set(Scene(cell='a', execution=1))\n"
        "asyncio.run(llm('mine/m', base_url=sys.argv[1]).generate([Message(role='user', content=sys.argv[2])]))\n"
    )
    with FakeServer(upper) as server:
        environment = {**os.environ, "LUMOS_TAPE": "refresh", "LUMOS_TAPE_FILE": str(path)}
        for word in ("one", "one", "two"):
            subprocess.run([sys.executable, "-c", code, server.base_url, word], env=environment, check=True)
        assert said(path) == [("two", "a")] and len(server.requests) == 2


# ---- verify ------------------------------------------------------------------------------


async def drift(path, recorded, live, tools=()):
    ask = [Message(role="user", content="Hi")]
    answers = []
    for mode, script in (("record", recorded), ("verify", live)):
        with FakeServer([script]) as server, using(Deck(path, mode)) as deck:
            answers.append(await llm("mine/m", base_url=server.base_url).generate(ask, tools=tools))
            assert len(server.requests) == 1
    try:
        deck.check()
    except TapeDrift as error:
        return answers, error.message.partition("'Hi': ")[2]
    return answers, ""


def called(name, arguments):
    from lumos_nb.messages import ToolCall

    return Answer(tool_calls=[ToolCall(id="c1", name=name, arguments=arguments)])


@pytest.mark.parametrize(("recorded", "live", "words"), [
    (Answer(text="one two"), Answer(text="quite other words here"), ""),
    (Answer(text="one"), Answer(text="one", finish="length"), "finish reason stop → length."),
    (Answer(text="one"), Answer(text="one", reasoning="hm"), 'events ["text_delta", "finish"] → '),
    (called("add", '{"a": 1, "b": [2]}'), called("add", '{"a": 2.5, "b": [3, 4]}'), ""),
    (called("add", '{"a": 1}'), called("sub", '{"a": 1}'), 'tools called ["add"] → ["sub"].'),
    (called("add", '{"a": 1}'), called("add", '{"a": "1"}'), 'arguments of tools [{"a": "number"}] → [{"a": "string"}].'),  # noqa: E501
    (Answer(text='{"city": "Oslo"}'), Answer(text='{"city": "Rome"}'), ""),
    (Answer(text='{"city": "Oslo"}'), Answer(text='{"town": "Rome"}'), 'form of the answer {"city": "string"} → {"town"'),  # noqa: E501
    (Answer(text='{"city": "Oslo"}'), Answer(text="Rome"), "form of the answer"),
    (Answer(text="one"), Reply(status=400, body='{"error":{"message":"no"}}'), "status 200 → 400."),
], ids=lambda value: value if isinstance(value, str) else "")  # fmt: skip
async def test_verify_compares_the_form_of_answers_and_goes_on_with_the_recorded_one(path, recorded, live, words):
    answers, said = await drift(path, recorded, live)
    assert answers[0].text == answers[1].text and answers[0].tool_calls == answers[1].tool_calls
    assert said.startswith(words) if words else said == ""


async def test_verify_sees_what_is_not_on_the_tape_and_what_is_no_longer_asked(path):
    with FakeServer(upper) as server:
        with using(Deck(path, "record")):
            await say("one", server.base_url)
        before = path.read_bytes()
        with using(Deck(path, "verify")) as deck:
            assert await say("two", server.base_url) == "TWO"
    with pytest.raises(TapeDrift, match=r"'two' is not on the tape"):
        deck.check()
    assert path.read_bytes() == before


async def test_verify_does_not_hold_a_bad_day_for_a_form(path, monkeypatch):
    monkeypatch.setattr("random.uniform", lambda a, b: 0.001)
    with FakeServer([Reply(status=500), "one", "uno"]) as server:
        with using(Deck(path, "record")):
            assert await say("Hi", server.base_url) == "one"
        with using(Deck(path, "verify")) as deck:
            assert await say("Hi", server.base_url) == "one"
        assert len(server.requests) == 3
    deck.check()
