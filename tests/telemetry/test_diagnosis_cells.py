"""The cell that a diagnosis gives does the same again: it is run, and its run is diagnosed."""

from __future__ import annotations

import ast
import json

import pytest

from lumos_nb import Agent, llm, settings, tool
from lumos_nb.errors import UsageError
from lumos_nb.messages import ImagePart, Message, TextPart, ToolCall
from lumos_nb.stores import default_store
from lumos_nb.telemetry import diagnose, recorded
from lumos_nb.testing import Answer, FakeServer, Reply, ScriptedProvider
from lumos_nb.transport import default_transport
from tests.telemetry.recorded_runs import SERVED, ask, call, drop, mean, scripted

LONG = "A long story. " * 200


@pytest.fixture(autouse=True)
async def database(tmp_path, monkeypatch):
    monkeypatch.setenv("LUMOS_DB", str(tmp_path / "lumos.db"))
    monkeypatch.setenv("LUMOS_MAX_RETRIES", "0")
    settings.reset()
    yield
    await default_transport().aclose()
    settings.reset()


async def run_cell(text, **namespace):
    """Run a cell's text as a notebook does, with `await` at its top; return its namespace."""
    code = compile(text, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    namespace["__name__"] = "__main__"
    result = eval(code, namespace)
    if result is not None:
        await result
    return namespace


@pytest.mark.parametrize(
    ("script", "tools", "kind"),
    [
        ([call("mean", values=[]), "Sorry."], [mean], "tool_bug"),
        ([call("mean", values="x"), "Sorry."], [mean], "tool_arguments"),
        ([call("median", values=[]), "Sorry."], [mean], "unknown_tool"),
        ([*(call("mean", f"c{n}", values=[1]) for n in range(4)), "1."], [mean], "tool_loop"),
        ([Answer(text="")], [], "empty_answer"),
        ([Answer(text=LONG, tool_calls=[call("mean", values=[])]), LONG], [mean], "tool_bug"),
    ],
)
async def test_what_the_tools_or_the_model_said_is_played_again_without_a_model(script, tools, kind):
    await scripted(script, tools)
    first = diagnose("last")
    assert "ScriptedProvider" in first.reproduce and "llm(" not in first.reproduce
    await run_cell(first.reproduce, mean=mean)
    again = diagnose("last")
    assert again.run_id != first.run_id
    assert again.findings[0].kind == first.findings[0].kind == kind


@pytest.mark.parametrize("kind", ["refused_key", "unknown_model", "rate_limit", "context_length", "cut_stream"])
async def test_what_a_server_refused_is_asked_for_again(kind):
    with FakeServer([SERVED[kind]]) as server:
        await ask(Agent("a", model=llm("mine/m", base_url=server.base_url)), "How are you?")
        first = diagnose("last")
        with pytest.raises(Exception, match="127"):
            await run_cell(first.reproduce)
        assert server.requests[0].body == server.requests[-1].body
    assert diagnose("last").findings[0].kind == first.findings[0].kind == kind


async def test_the_embedded_model_is_asked_by_its_name_for_its_server_has_another_address_and_key_each_time():
    with FakeServer(["Hello."]) as server:
        await ask(Agent("a", model=llm("local/smollm2", base_url=server.base_url)), "Hi")
    cell = diagnose("last").reproduce
    assert "llm('local/smollm2')" in cell
    assert "key" not in cell and "cost" not in cell


@pytest.mark.parametrize("wrong", [3, None, {"run_id": "x"}])
async def test_what_is_no_name_of_a_run_is_told_so_and_is_no_fault_of_the_database(wrong):
    for read in (diagnose, recorded):
        with pytest.raises(UsageError, match="is no name of a run"):
            read(wrong)


async def test_a_name_that_no_run_has_is_answered_with_the_last_run_alone():
    for _ in range(3):
        result = await Agent("a", model=ScriptedProvider(["Hello."])).generate("Hi")
    with pytest.raises(UsageError) as caught:
        diagnose("zzz")
    assert caught.value.hint == f"The last run is {result.run_id!r}. %trace df shows all runs."


async def test_a_server_of_ones_own_that_is_called_local_keeps_its_address():
    with FakeServer(["Hello."]) as server:
        await ask(Agent("a", model=llm("local/mine", base_url=server.base_url)), "Hi")
    assert f"base_url='{server.base_url}'" in diagnose("last").reproduce


async def test_a_failure_in_a_later_step_is_asked_for_with_the_conversation_of_that_step():
    with FakeServer([[call("mean", values=[1, 2])], SERVED["context_length"]]) as server:
        await ask(Agent("a", model=llm("mine/m", base_url=server.base_url), tools=[mean]), "Mean?")
        first = diagnose("last")
        assert first.findings[0].step == 2
        with pytest.raises(Exception, match="does not fit"):
            await run_cell(first.reproduce)
        assert server.requests[-1].body["messages"] == server.requests[-2].body["messages"]


async def test_the_thread_before_the_run_is_part_of_what_is_asked_again():
    with FakeServer(["Hello Ada.", SERVED["unknown_model"]]) as server:
        agent = Agent("a", model=llm("mine/m", base_url=server.base_url))
        await ask(agent, "I am Ada.", thread_id="t1")
        await ask(agent, "Who am I?", thread_id="t1")
        with pytest.raises(Exception, match="does not know"):
            await run_cell(diagnose("last").reproduce)
        assert server.requests[-1].body["messages"] == server.requests[-2].body["messages"]
        assert len(server.requests[-1].body["messages"]) == 3


async def test_tools_that_are_not_at_fault_are_not_run_again():
    ran = []

    @tool(side_effect="unsafe")
    def pay(amount: int) -> str:
        ran.append(amount)
        return "paid"

    calls = [call("pay", "c1", amount=5), call("mean", "c2", values=[])]
    await scripted([calls, "Sorry."], [pay, mean])
    again = await run_cell(diagnose("last").reproduce, mean=mean)
    assert ran == [5]
    results = again["result"].steps[0].tool_results
    assert [r.content for r in results] == ["paid", "ZeroDivisionError: division by zero"]


async def test_a_denied_call_is_denied_again_and_nothing_is_dropped():
    await scripted([call("drop", table="x"), "I see."], [drop])
    again = await run_cell(diagnose("last").reproduce)
    assert again["result"].steps[0].tool_results[0].is_error


async def test_long_and_secret_texts_are_loaded_from_the_log_and_never_pasted():
    key = "sk-this-must-never-be-seen-1234567890"
    await scripted([call("mean", values=[]), "Sorry."], [mean])
    assert "Go on" in diagnose("last").reproduce
    asked = ToolCall(id="c", name="mean", arguments=f'{{"values": "{key}"}}')
    agent = Agent("a", model=ScriptedProvider([asked, LONG]), tools=[mean])
    await ask(agent, f"My key is {key}. {LONG}")
    found = diagnose("last")
    assert key not in found.to_text() + str(found.to_dict()) + str(found._repr_mimebundle_())
    assert LONG not in found.reproduce
    again = await run_cell(found.reproduce, mean=mean)
    assert again["run"].prompt[0].text.startswith(f"My key is {key}")
    assert diagnose("last").findings[0].kind == "tool_arguments"


@pytest.mark.parametrize("name", ["MISTRAL_API_KEY", "WAREHOUSE_PASSWORD"])
async def test_a_key_of_this_process_is_known_whatever_it_looks_like(name, monkeypatch):
    monkeypatch.setenv(name, "opensesame")
    await ask(Agent("a", model=ScriptedProvider([call("mean", values="opensesame"), "?"]), tools=[mean]), "opensesame!")
    found = diagnose("last")
    assert "opensesame" not in found.to_text() + str(found.to_dict()) + str(found._repr_mimebundle_())
    assert (await run_cell(found.reproduce, mean=mean))["run"].prompt[0].text == "opensesame!"


async def test_a_tool_that_runs_an_agent_leads_to_the_run_within_that_failed():
    inner = Agent("inner", model=llm("openai/gpt-5"))

    async def ask_inner() -> str:
        return (await inner.generate("Help")).response

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OPENAI_API_KEY", raising=False)
        await scripted([call("ask_inner"), "It failed."], [ask_inner])
    runs = default_store().select("runs", ["run_id", "agent"])
    ids = {agent: run_id for run_id, agent in runs}
    [found] = diagnose(ids["a"]).findings
    assert found.kind == "tool_bug" and ids["inner"] in found.suggestion
    assert diagnose(ids["inner"]).findings[0].kind == "no_key"


async def test_what_others_wrote_never_becomes_code_of_the_cell_nor_acts_on_a_terminal():
    evil = "x\n\r\u2028\x85ran.append(1)\x1b[31m\u202e'); ran.append(2) #\x00"

    @tool(name="class")
    def bad(text: str) -> str:
        raise ValueError(text)

    script = [ToolCall(id=evil, name="class", arguments=json.dumps({"text": evil})), evil]
    await ask(Agent(evil, model=ScriptedProvider(script, model=evil), tools=[bad], instructions=evil), evil)
    found = diagnose("last")
    ran = []
    await run_cell(found.reproduce, ran=ran)
    assert ran == []
    shown = found.to_text() + found._repr_mimebundle_()["text/html"]
    assert not set(shown) & set("\x1b\x00\u202e\x85\r")


async def test_what_the_log_does_not_keep_of_a_prompt_is_said_in_the_cell():
    picture = Message(role="user", content=(TextPart("See"), ImagePart(data=b"\x89PNG", media_type="image/png")))
    with FakeServer([SERVED["bad_request"]]) as server:
        agent = Agent("a", model=llm("mine/m", base_url=server.base_url), instructions="Be brief.")
        talk = [Message(role="user", content="I am Ada."), Message(role="assistant", content="Hello.")]
        for prompt, is_partial in ((picture, True), ([*talk, *talk[:1]], True), ("Just text", False)):
            await ask(agent, prompt)
            found = diagnose("last")
            assert found.findings[0].kind == "bad_request"
            assert ("More was sent" in found.reproduce) is is_partial


async def test_a_recording_has_the_conversation_the_answers_and_what_the_tools_gave():
    await scripted([call("mean", values=[1, 2]), "1.5"], [mean])
    recording = recorded("last")
    assert recording.prompt == (Message(role="user", content="Go on"),)
    assert [m.role for m in recording.messages] == ["user", "assistant", "tool"]
    assert recording.answers[1] == "1.5"
    [played] = recording.tools()
    assert played.fn('{"values": [1, 2]}') == "1.5"


async def test_a_server_that_answers_late_is_not_asked_by_looking_at_it():
    with FakeServer([Reply(status=500)]) as server:
        await ask(Agent("a", model=llm("mine/m", base_url=server.base_url)))
        n = len(server.requests)
        diagnose("last").to_text()
        assert len(server.requests) == n


async def test_an_answer_that_never_had_its_form_is_played_again_with_the_form():
    await scripted(["No.", "Never.", "Not that either."], output=list[int])
    first = diagnose("last")
    with pytest.raises(Exception, match="no JSON"):
        await run_cell(first.reproduce)
    assert diagnose("last").findings[0].kind == first.findings[0].kind == "answer_form"


@pytest.mark.parametrize("side_effect", ["none", "unsafe"])
async def test_a_tool_that_changes_things_is_not_called_by_hand_without_a_warning(side_effect):
    @tool(side_effect=side_effect, permission="allow")
    def wipe(table: str) -> str:
        """Empty a table."""
        raise RuntimeError("No space is left.")

    await scripted([call("wipe", table="x"), "Sorry."], [wipe])
    cell = diagnose("last").reproduce
    assert "# To step into it: wipe(" in cell
    assert ("nobody is asked" in cell) == (side_effect == "unsafe")
