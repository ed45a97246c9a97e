"""A process may die between any two writes: what it leaves is taken up and comes to the same end."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

import lumos_nb as lumos
from lumos_nb import Agent, settings, tool
from lumos_nb.errors import UsageError
from lumos_nb.events import TokenUsage
from lumos_nb.memory import Memory, RunLog
from lumos_nb.messages import Message, ToolCall
from lumos_nb.stores.sqlite import SqliteStore
from lumos_nb.testing import Answer, ScriptedProvider

DONE: list[str] = []
USAGE = TokenUsage(input_tokens=10, output_tokens=5)
UNSAFE = ("paid 1", "paid 2", "dropped x")


@tool
def look(table: str) -> str:
    return "3 rows"


@tool(side_effect="unsafe")
async def pay(amount: int) -> str:
    DONE.append(f"paid {amount}")
    return "paid"


@tool(side_effect="idempotent")
def note(text: str) -> str:
    return "noted"


@tool(permission="ask", side_effect="unsafe")
def drop(table: str) -> str:
    DONE.append(f"dropped {table}")
    return "dropped"


def call(name, id, **arguments):
    return ToolCall(id=id, name=name, arguments=json.dumps(arguments))


BEGINNING = [
    # Its ids count anew in each answer, as those of some servers do.
    Answer(text="First.", reasoning="Hm", tool_calls=[call("look", "c1", table="o"), call("pay", "c2", amount=1)]),
    Answer(tool_calls=[call("note", "c1", text="n"), call("drop", "c2", table="x"), call("pay", "c3", amount=2)]),
    Answer(text="And", tool_calls=[call("note", "c1", text="n")]),
]
ENDINGS = {
    "an answer": ({}, [Answer(text="All done.")]),
    "an answer in a form": (
        {"output": list[int]},
        [Answer(text="No JSON."), Answer(text="[no, not yet"), Answer(text='{"value": [1]}')],
    ),
    "a last step": ({"max_steps": 3}, []),
}


def allow(question):
    return True


class Copies(SqliteStore):
    """A store that copies its file after each write: the files that a death may leave."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.copies: list[tuple[Path, int]] = []

    def write(self, batch):
        super().write(batch)
        copy = self.path.parent / f"{len(self.copies)}.db"
        with sqlite3.connect(self.path) as source, sqlite3.connect(copy) as target:
            source.backup(target)
        self.copies.append((copy, len(DONE)))

    def write_soon(self, batch):
        self.write(batch)


class EachLog(RunLog):
    async def append(self, events, said=()):
        await super().append(events, said)
        await self._commit([])


class EachMemory(Memory):
    """Writes after each read of the model, as a slow stream does."""

    def run_log(self, info, saved=None):
        return EachLog(self.store, info, saved)


def agent_of(memory, ending):
    options, answers = ENDINGS[ending]
    script = [*BEGINNING, *answers]

    def answer(messages):
        line = script[sum(message.role == "assistant" for message in messages)]
        return Answer(text=line.text, reasoning=line.reasoning, tool_calls=line.tool_calls, usage=USAGE)

    return Agent("a", model=ScriptedProvider(answer), tools=[look, pay, note, drop], memory=memory, **options)


async def conversation(memory):
    return [(m.role, m.text, [type(p).__name__ for p in m.parts], ids(m)) for m in await memory.load("t1")]


def ids(message: Message) -> list[str]:
    return [getattr(p, "call_id", getattr(p, "id", "")) for p in message.parts if type(p).__name__.startswith("Tool")]


def sums():
    run, thread, calls = lumos.runs().iloc[0], lumos.threads().iloc[0], lumos.tool_calls()
    names = ["status", "n_steps", "n_tool_calls", "input_tokens", "output_tokens", "stop_reason", "output_preview"]
    steps = lumos.steps()[["step", "status", "input_tokens", "n_tool_calls"]].sort_values("step")
    return [
        [run[name] for name in names],
        [thread[name] for name in ("n_runs", "n_messages", "n_steps", "input_tokens", "output_tokens")],
        steps.to_numpy().tolist(),
        sorted(zip(calls.step, calls.tool_call_id, strict=True)),
    ]


@pytest.mark.parametrize("ending", ENDINGS)
async def test_it_comes_to_the_same_end_wherever_it_was_killed(tmp_path, ending):
    DONE.clear()
    copies = Copies(tmp_path / "whole.db")
    whole = await agent_of(EachMemory(copies), ending).generate("Go", thread_id="t1", on_approval=allow)
    settings.configure(db=str(tmp_path / "whole.db"))
    expected, said = sums(), await conversation(Memory())
    did, taken_up = list(DONE), 0
    for n, (copy, _) in enumerate(copies.copies):
        # Whatever was done before the next write may have been done.
        done_before = did[: copies.copies[min(n + 1, len(copies.copies) - 1)][1]]
        DONE.clear()
        settings.configure(db=str(copy))
        try:
            result = await agent_of(None, ending).resume(on_approval=allow)
        except UsageError as error:
            assert "before it came to a tool" in error.message or "has ended well" in error.message
            continue
        taken_up += 1
        assert all((done_before + DONE).count(each) <= 1 for each in UNSAFE), copy
        assert (result.response, result.output) == (whole.response, whole.output), copy
        assert await conversation(Memory()) == said, copy
        assert sums() == expected, copy
        sequence = list(lumos.events().run_seq)
        assert sequence == list(range(1, len(sequence) + 1)), copy
    assert taken_up > 12
