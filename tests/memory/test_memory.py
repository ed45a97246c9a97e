"""Threads, their messages, working memory, kept values, ids."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumos_nb.errors import ConflictError, ThreadNotFoundError
from lumos_nb.memory import GetMessagesParams, Memory, WorkingMemory, new_id
from lumos_nb.memory._rows import message_of, message_row
from lumos_nb.messages import ImagePart, Message, ReasoningPart, TextPart, ToolCall, ToolResult
from lumos_nb.stores import Insert, SqliteStore
from lumos_nb.stores.schema import TABLES


@pytest.fixture
def memory(tmp_path):
    store = SqliteStore(tmp_path / "lumos.db")
    yield Memory(store)
    store.close()


def say(*texts, role="user"):
    return [Message(role=role, content=text) for text in texts]


async def test_a_thread_is_found_by_id_title_and_beginning_of_its_id(memory):
    thread = await memory.create_thread(title="sales", resource_id="ada", metadata={"a": 1}, notebook="n.ipynb")
    assert await memory.get_thread(thread.id) == await memory.get_thread("sales") == thread
    assert await memory.get_thread(thread.id[:13]) == thread
    assert (thread.resource_id, thread.metadata, thread.notebook) == ("ada", {"a": 1}, "n.ipynb")
    assert await memory.find_thread("sale") is None
    with pytest.raises(ThreadNotFoundError, match="Did you mean 'sales'"):
        await memory.get_thread("sale")


async def test_asking_an_empty_memory_creates_no_file(memory):
    assert await memory.find_thread("x") is None
    assert await memory.list_threads() == []
    assert await memory.load("x") == []
    assert await memory.kept("x", 7) == 7
    assert not memory.store.path.exists()


async def test_an_id_is_given_once_and_a_title_may_repeat(memory):
    await memory.create_thread(thread_id="t1", title="same")
    with pytest.raises(ConflictError, match="already a thread 't1'"):
        await memory.create_thread(thread_id="t1")
    later = await memory.create_thread(title="same")
    assert (await memory.get_thread("same")).id == later.id


async def test_messages_with_tool_calls_come_back_in_order_with_ids(memory):
    thread = await memory.create_thread()
    messages = [
        Message(role="user", content=(TextPart("look"), ImagePart(data=b"\x00\xff"))),
        Message(
            role="assistant", content=(ReasoningPart("hm", signature="s"), ToolCall(id="c", name="f", arguments="{"))
        ),
        Message(role="tool", content=(ToolResult(call_id="c", name="f", content="x", display={"text/html": "<b>"}),)),
    ]
    kept = await thread.add_messages(messages)
    assert await thread.get_messages() == await memory.load(thread.id) == kept
    assert [m.content for m in kept] == [m.content for m in messages]
    assert len({m.id for m in kept}) == 3
    with pytest.raises(ThreadNotFoundError):
        await memory.add_messages("nowhere", messages)


async def test_pages_go_back_and_forth_without_gaps(memory):
    thread = await memory.create_thread()
    kept = await thread.add_messages(say(*map(str, range(10))))

    async def texts(**params):
        return "".join(m.text for m in await thread.get_messages(GetMessagesParams(**params)))

    assert await texts(limit=3) == "789"
    assert await texts(limit=3, before=kept[7].id) == "456"
    assert await texts(limit=3, after=kept[2].id) == "345"
    assert await texts(after=kept[2].id, before=kept[5].id) == "34"
    assert await texts(limit=0) == ""
    with pytest.raises(ThreadNotFoundError, match="has no message 'x'"):
        await texts(before="x")


async def test_messages_are_filtered_by_role_words_and_time(memory):
    thread = await memory.create_thread()
    await thread.add_messages([*say("Rechnung MÄRZ", "März"), *say("rechnung", role="assistant")])

    async def n(**params):
        return len(await thread.get_messages(GetMessagesParams(**params)))

    now = datetime.now(UTC)
    assert await n(words="märz rechnung") == 1
    assert await n(words="rechnung", role="assistant") == 1
    assert await n(since=now - timedelta(minutes=1)) == 3 and await n(since=now + timedelta(minutes=1)) == 0
    assert await n(until=now - timedelta(minutes=1)) == 0


async def test_metadata_title_fork_and_delete(memory):
    thread = await memory.create_thread(title="one", metadata={"a": 1, "b": 2})
    await thread.add_messages(say("x", "y"))
    assert (await thread.update_metadata(b=None, c=[3])).metadata == {"a": 1, "c": [3]}
    assert (await thread.rename("two")).title == "two"
    fork = await memory.fork_thread("two")
    assert (fork.title, fork.parent_thread_id, fork.n_messages) == ("two (fork)", thread.id, 2)
    await fork.add_messages(say("z"))
    assert [m.text for m in await fork.get_messages()] == ["x", "y", "z"]
    assert len(await thread.get_messages()) == 2
    await memory.delete_thread("two")
    assert await memory.load(thread.id) == []
    assert [t.id for t in await memory.list_threads()] == [fork.id]
    await memory.change_thread(fork.id, status="archived")
    assert await memory.list_threads() == []
    assert len(await memory.list_threads(archived=True)) == 1


async def test_a_deleted_thread_leaves_nothing_of_its_runs(memory):
    thread, store = await memory.create_thread(title="one"), memory.store
    columns = {name: {column.name for column in table.columns} for name, table in TABLES.items()}
    of_it = [name for name, names in columns.items() if {"run_id", "thread_id"} & names]
    row = {"run_id": "r1", "thread_id": thread.id, "message_id": "m1", "tool_call_id": "c1", "idx": 0,
           "step": 1, "n": 1, "kind": "metadata", "run_seq": 1, "ts": 1}  # fmt: skip
    for table in of_it:
        if table != "threads":
            store.write([Insert(table, {name: value for name, value in row.items() if name in columns[table]})])
    await memory.delete_thread("one")
    assert [table for table in of_it if list(store.select(table, list(columns[table])[:1]))] == []


async def test_working_memory_is_kept_by_scope(memory):
    one, other = memory.working("ada"), WorkingMemory("bob", store=memory.store)
    await one.set("name", "Ada")
    await one.set("name", {"first": "Ada"})
    await other.set("name", None)
    assert await one.all() == {"name": {"first": "Ada"}}
    assert await other.get("name", "?") is None and await other.get("age", "?") == "?"
    await one.set("age", 36)
    await one.delete("name")
    assert await one.all() == {"age": 36}
    await one.clear()
    assert await one.all() == {} and await other.all() == {"name": None}


async def test_kept_values(memory):
    await memory.keep("thread of a.ipynb", "t1")
    await memory.keep("thread of a.ipynb", {"id": "t2"})
    assert await memory.kept("thread of a.ipynb") == {"id": "t2"}


async def test_many_tasks_add_to_one_thread(memory):
    thread = await memory.create_thread()
    await asyncio.gather(*(thread.add_messages(say(str(i))) for i in range(50)))
    assert len(await thread.get_messages()) == 50


def test_ids_sort_by_the_time_they_were_made():
    ids = [new_id() for _ in range(10_000)]
    assert ids == sorted(ids) and len(set(ids)) == 10_000


texts = st.text(st.characters(exclude_categories=["Cs"]))
parts = st.one_of(
    st.builds(TextPart, texts),
    st.builds(ReasoningPart, texts, signature=st.none() | texts),
    st.builds(ImagePart, data=st.none() | st.binary(), url=st.none() | texts),
    st.builds(ToolCall, id=texts, name=texts, arguments=texts),
    st.builds(
        ToolResult, call_id=texts, name=texts, content=texts, is_error=st.booleans(), error_type=st.none() | texts
    ),
)


@given(st.sampled_from(["system", "user", "assistant", "tool"]), texts | st.lists(parts).map(tuple))
def test_any_message_comes_back_from_its_row(role, content):
    message = Message(role=role, content=content, id="m1")
    row = message_row(message, thread_id="t", idx=0, created_at=0)
    assert message_of(row["content_json"], "m1") == message
