"""Which recorded answer a request gets, and what is said where it gets none."""

import asyncio

import pytest

from lumos_nb import Agent, llm
from lumos_nb.errors import LumosError, TapeMiss, TapeUnused
from lumos_nb.messages import Message
from lumos_nb.providers import ModelOptions
from lumos_nb.providers.wire import FORMATS
from lumos_nb.tapes import Deck, read_tape, using
from lumos_nb.tapes.scenes import SCENE, Scene
from lumos_nb.testing import Answer, FakeServer, Reply
from tests.tapes.formats import OPTIONS, TOOLS, TURNS, model

NOWHERE = "http://127.0.0.1:9/v1"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "t.tape.jsonl"


async def say(text, url=NOWHERE, **options):
    answer = await llm("mine/m", base_url=url).generate(
        [Message(role="user", content=text)], options=ModelOptions(**options)
    )
    return answer.text


def in_cell(cell="", execution=0, source="", mode=""):
    return SCENE.set(Scene(cell=cell, execution=execution, source=source, mode=mode))


async def record(path, asks, script=None, **given):
    """Record asks: texts, or pairs of a cell and a text."""
    with FakeServer(script) as server:
        deck = Deck(path, "record", **given)
        with using(deck):
            for n, ask in enumerate(asks, start=1):
                cell, text = ask if isinstance(ask, tuple) else ("", ask)
                in_cell(cell, n)
                await say(text, server.base_url)
        deck.close()


@pytest.mark.parametrize("transport", ["httpx", "aiohttp"])
@pytest.mark.parametrize("format", FORMATS)
async def test_what_was_recorded_is_played_in_every_format_over_both_transports(path, format, transport):
    from lumos_nb.transport import new_transport

    carrier = new_transport(transport)
    with (
        FakeServer([Answer(text="Größer — “als” alles.\u2028 End", reasoning="hm")]) as server,
        using(Deck(path, "record")),
    ):
        there = await model(format, server.base_url, transport=carrier).generate(TURNS, tools=TOOLS, options=OPTIONS)
    await carrier.aclose()
    deck = Deck(path, "replay-strict")
    with using(deck):
        here = await model(format).generate(TURNS, tools=TOOLS, options=OPTIONS)
    deck.check()
    assert (here.text, here.reasoning, here.usage, here.finish_reason) == (
        there.text, there.reasoning, there.usage, there.finish_reason,
    )  # fmt: skip


async def test_requests_that_are_the_same_get_their_answers_in_the_order_of_recording(path):
    await record(path, ["Roll"] * 3, ["one", "two", "three"])
    deck = Deck(path, "replay-strict")
    with using(deck):
        assert [await say("Roll") for _ in range(3)] == ["one", "two", "three"]
        with pytest.raises(TapeMiss, match=r"Recorded 3 times, asked for the 4th time: .*'Roll'"):
            await say("Roll")


async def test_fifty_requests_at_once_same_and_different_get_each_answer_once(path):
    texts = [f"Say {n}" for n in range(25)] + ["Roll"] * 25
    rolls = iter(range(100))

    def script(request):
        said = request.body["messages"][-1]["content"]
        return Answer(text=f"roll {next(rolls)}" if said == "Roll" else said.upper())

    with FakeServer(script) as server, using(Deck(path, "record")) as deck:
        there = await asyncio.gather(*(say(text, server.base_url) for text in texts))
        deck.close()
    deck = Deck(path, "replay-strict")
    with using(deck):
        here = await asyncio.gather(*(say(text) for text in texts))
    deck.check()
    assert here[:25] == there[:25] and sorted(here[25:]) == sorted(there[25:])
    assert len(set(here[25:])) == 25
    assert [each.request.i for each in read_tape(path).interactions] == list(range(50))


async def test_decks_are_used_from_several_loops_and_threads_at_once(path):
    await record(path, [f"Say {n % 10}" for n in range(40)])
    deck = Deck(path, "replay-strict")

    def asked(k):
        async def ask():
            return await asyncio.gather(*(say(f"Say {n}") for n in range(10)))

        return asyncio.run(ask())

    with using(deck):
        said = await asyncio.gather(*(asyncio.to_thread(asked, k) for k in range(4)))
    deck.check()
    assert all(each == said[0] for each in said)


async def test_a_cell_gets_its_own_answer_before_another_cells(path):
    await record(path, [("a", "Roll"), ("b", "Roll")], ["of a", "of b"])
    with using(Deck(path, "replay")):
        in_cell("b", 1)
        assert await say("Roll") == "of b"
        in_cell("a", 2)
        assert await say("Roll") == "of a"


async def test_a_cell_that_is_run_again_plays_from_its_first_request_again(path):
    await record(path, [("a", "Roll"), ("a2", "Other")], ["one", "x"])
    deck = Deck(path, "replay")
    with using(deck):
        for execution in (1, 2, 3):
            in_cell("a", execution)
            assert await say("Roll") == "one"
            with pytest.raises(TapeMiss, match="Recorded once, asked for the 2nd time"):
                await say("Roll")
    with pytest.raises(TapeUnused, match="request 1 of cell 'a2' to m: 'Other'"):
        deck.check()


async def test_an_interrupted_cell_begins_with_its_first_request_again(path):
    with FakeServer(["one", "two"]) as server, using(Deck(path, "record")):
        in_cell("a", 1)
        await say("Roll", server.base_url), await say("Roll", server.base_url)
    with using(Deck(path, "replay")):
        in_cell("a", 1)
        assert await say("Roll") == "one"
        in_cell("a", 2)
        assert [await say("Roll"), await say("Roll")] == ["one", "two"]


async def test_in_replay_strict_a_cell_that_is_run_again_has_nothing_left(path):
    await record(path, [("a", "Roll")], ["one"])
    with using(Deck(path, "replay-strict", notebook="n.ipynb")):
        in_cell("a", 1)
        assert await say("Roll") == "one"
        in_cell("a", 2)
        with pytest.raises(TapeMiss, match="asked for the 2nd time") as caught:
            await say("Roll")
    assert caught.value.hint == "Record it: lumos test --refresh n.ipynb"


async def test_cells_of_the_same_source_and_without_ids_get_one_answer_each(path):
    with FakeServer(["one", "two"]) as server, using(Deck(path, "record")):
        for n in (1, 2):
            in_cell(source="same", execution=n)
            await say("Roll", server.base_url)
    with using(Deck(path, "replay")):
        said = []
        for n in (1, 2):
            in_cell(source="same", execution=n)
            said.append(await say("Roll"))
    assert said == ["one", "two"]


async def test_a_miss_names_what_changed_and_the_command(path):
    with FakeServer(["x"]) as server, using(Deck(path, "record", notebook="sales.ipynb")):
        in_cell("a1", 1)
        await llm("mine/m", base_url=server.base_url).generate(TURNS, tools=TOOLS)
    turns = [*TURNS[:-1], Message(role="user", content="And the day after tomorrow?")]
    tools = [TOOLS[0], TOOLS[1].__class__(name="traffic", description="Jams.", parameters=TOOLS[1].parameters)]
    with using(Deck(path, "replay", notebook="sales.ipynb")), pytest.raises(TapeMiss) as caught:
        in_cell("a1", 1)
        await llm("mine/m", base_url=NOWHERE).generate(turns, tools=tools, options=ModelOptions(temperature=0.5))
    assert caught.value.message == (
        "This request is not on the tape 't'. Nearest of this cell, request 0: messages[4].content changed: "
        "'…tomorrow?' → '…the day after tomorrow?'; tools[1].function.description changed: 'The traffic of a city.' → "
        "'Jams.'; temperature added."
    )
    assert caught.value.hint == "Record it: %%agent --record in this cell, or lumos test --refresh sales.ipynb"


async def test_the_nearest_is_of_the_same_cell_even_where_another_is_more_alike(path):
    await record(path, [("a", "Tell me of Oslo"), ("b", "Tell me of the south")])
    with (
        using(Deck(path, "replay-strict")),
        pytest.raises(TapeMiss, match=r"Nearest of this cell, request 0: .*'…Oslo'"),
    ):
        in_cell("a", 1)
        await say("Tell me of the north")
    with (
        using(Deck(path, "replay-strict")),
        pytest.raises(TapeMiss, match=r"Nearest on the tape, request 1: .*'…south'"),
    ):
        in_cell("new", 1)
        await say("Tell me of the north")


async def test_a_message_more_is_no_change_of_all_behind_it(path):
    with FakeServer(["x"]) as server, using(Deck(path, "record")):
        await llm("mine/m", base_url=server.base_url).generate(TURNS)
    turns = [TURNS[0], Message(role="user", content="Psst."), *TURNS[1:]]
    with using(Deck(path, "replay")), pytest.raises(TapeMiss) as caught:
        await llm("mine/m", base_url=NOWHERE).generate(turns)
    assert caught.value.message.endswith("request 0: messages[1] added: 'Psst.'.")


async def test_many_changes_are_cut_to_a_few(path):
    await record(path, ["Hello"])
    with using(Deck(path, "replay")), pytest.raises(TapeMiss) as caught:
        options = ModelOptions(extra={f"key{n}": n for n in range(20)})
        await llm("mine/m", base_url=NOWHERE).generate([Message(role="user", content="Hello")], options=options)
    assert caught.value.message.endswith("key5 added; and 14 more.") and len(caught.value.message) < 250


async def test_a_tape_that_does_not_exist_says_how_to_record_it(path):
    deck = Deck(path, "replay-strict", notebook="n.ipynb")
    with using(deck), pytest.raises(TapeMiss, match="There is no tape .* record it: lumos test --record n.ipynb"):
        await say("Hello")
    deck.check()


async def test_a_test_may_name_its_own_remedy(path):
    with using(Deck(path, "replay", remedy="pytest --lumos-record")), pytest.raises(TapeMiss) as caught:
        await say("Hello")
    assert caught.value.hint == "Record it: pytest --lumos-record"


async def test_what_was_never_asked_for_is_named(path):
    await record(path, [("a", "Hello"), ("b", "Tell me all about the weather in Oslo, please")])
    deck = Deck(path, "replay-strict", notebook="n.ipynb")
    with using(deck):
        await say("Hello")
    with pytest.raises(TapeUnused) as caught:
        deck.check()
    assert caught.value.message == (
        "1 of what is on the tape 't' was never asked for: request 1 of cell 'b' to m: "
        "'Tell me all about the weather in Osl…'."
    )
    assert "lumos test --refresh n.ipynb" in caught.value.hint


async def test_refusals_and_retries_are_played_as_they_were(path, monkeypatch):
    monkeypatch.setattr("random.uniform", lambda a, b: 0.001)
    refused = [Reply(status=429, headers={"retry-after": "0"}), Reply(status=500), "Hello"]
    with FakeServer(refused) as server, using(Deck(path, "record")):
        assert await say("Hi", server.base_url) == "Hello"
    assert [each.request.attempt for each in read_tape(path).interactions] == [1, 2, 3]
    deck = Deck(path, "replay-strict")
    with using(deck):
        assert await say("Hi") == "Hello"
    deck.check()


@pytest.mark.parametrize("reply", [
    Reply(status=401, body='{"error":{"message":"no"}}'), Reply(status=400, body='{"error":{"message":"bad"}}'),
    Reply(status=429, headers={"retry-after": "70"}), Reply(answer=Answer(text="one two three"), cut_after=2),
    Reply(body="<html>login</html>", content_type="text/html"),
], ids=["401", "400", "429", "broken", "page"])  # fmt: skip
async def test_a_failure_comes_back_as_the_same_error(path, reply, monkeypatch):
    monkeypatch.setattr("random.uniform", lambda a, b: 0.001)
    failures = []
    with FakeServer([reply]) as server:
        for mode in ("record", "replay-strict"):
            with using(Deck(path, mode)) as deck, pytest.raises(LumosError) as caught:
                await say("Hi", server.base_url)
            failures.append(caught.value)
            deck.check()
        n_sent = len(server.requests)
    assert n_sent == len(read_tape(path).interactions)
    there, here = failures
    assert type(here) is type(there) and str(here) == str(there)
    assert [getattr(each, "status", None) for each in failures] == [getattr(there, "status", None)] * 2
    assert [getattr(each, "is_temporary", None) for each in failures] == [getattr(there, "is_temporary", None)] * 2


async def test_a_server_that_was_not_there_is_not_there_again(path, monkeypatch):
    monkeypatch.setattr("random.uniform", lambda a, b: 0.001)
    said = []
    for mode in ("record", "replay-strict"):
        with using(Deck(path, mode)), pytest.raises(LumosError, match="Nothing answers at") as caught:
            await say("Hi")
        said.append((type(caught.value), str(caught.value)))
    assert said[0] == said[1] and len(read_tape(path).interactions) == 3


async def test_a_request_that_the_program_stopped_is_stopped_by_it_again(path):
    slow = Answer(text="word " * 50, delay_s=0.02)
    with FakeServer([slow]) as server, using(Deck(path, "record")), pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await say("Hi", server.base_url)
    assert read_tape(path).interactions[0].end.how == "cancelled"
    deck = Deck(path, "replay-strict")
    with using(deck), pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await say("Hi")
    deck.check()


async def test_a_request_that_a_person_stopped_ends_with_an_error_and_does_not_hang(path, monkeypatch):
    monkeypatch.setattr("lumos_nb.tapes.playing.STOPPED_S", 0.0)
    monkeypatch.setattr("random.uniform", lambda a, b: 0.001)
    with FakeServer([Answer(text="word " * 50, delay_s=0.02)]) as server, using(Deck(path, "record")):
        task = asyncio.create_task(say("Hi", server.base_url))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    with using(Deck(path, "replay-strict")), pytest.raises(LumosError, match="was stopped at this point"):
        await say("Hi")


async def test_the_list_of_models_goes_through_the_tape(path):
    with FakeServer(["x"], models=["one", "two"]) as server, using(Deck(path, "record")):
        there = await llm("mine/m", base_url=server.base_url).list_models()
    with using(Deck(path, "replay-strict")):
        assert await llm("mine/m", base_url=NOWHERE).list_models() == there == ["one", "two"]


async def test_no_key_is_needed_and_nothing_is_signed_where_all_is_played(path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "key-1")
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "key-2")
    with FakeServer(["Hello"]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        with using(Deck(path, "record")):
            for name in ("openai/m", "bedrock/m"):
                base_url = server.base_url if "bedrock" in name else None
                await llm(name, base_url=base_url).generate([Message(role="user", content="Hi")])
    monkeypatch.delenv("OPENAI_API_KEY"), monkeypatch.delenv("AWS_BEARER_TOKEN_BEDROCK")
    deck = Deck(path, "replay-strict")
    with using(deck):
        for name in ("openai/m", "bedrock/m"):
            base_url = server.base_url if "bedrock" in name else None
            answer = await llm(name, base_url=base_url).generate([Message(role="user", content="Hi")])
            assert answer.text == "Hello"
    deck.check()


async def test_an_agent_without_a_model_asks_the_one_that_was_the_default_when_recorded(path, monkeypatch):
    from lumos_nb import settings

    with FakeServer(["Hello"]) as server:
        monkeypatch.setenv("LMSTUDIO_BASE_URL", server.base_url)
        monkeypatch.setenv("LUMOS_MODEL", "lmstudio/first")
        settings.reset()
        with using(Deck(path, "record")):
            assert (await Agent(name="a").generate("Hi")).response == "Hello"
        assert read_tape(path).header.default_model == "lmstudio/first"
        monkeypatch.setenv("LUMOS_MODEL", "lmstudio/second")
        settings.reset()
        with using(Deck(path, "replay-strict")):
            assert (await Agent(name="a").generate("Hi")).response == "Hello"
        settings.configure(model="lmstudio/third")
        with using(Deck(path, "replay-strict")), pytest.raises(TapeMiss, match="'first' → 'third'"):
            await Agent(name="a").generate("Hi")
    settings.reset()


@pytest.mark.model
async def test_the_embedded_model_is_recorded_once_and_needs_no_weights_to_be_played(path, monkeypatch):
    ask = [Message(role="user", content="Say hello.")]
    with using(Deck(path, "record")):
        there = await llm("local/smollm2").generate(ask)
    monkeypatch.setattr("lumos_nb.providers.embedded_server.find_weights", lambda model: None)
    monkeypatch.setattr("lumos_nb.providers.embedded_server._running", {})
    deck = Deck(path, "replay-strict")
    with using(deck):
        assert (await llm("local/smollm2").generate(ask)).text == there.text
    deck.check()
