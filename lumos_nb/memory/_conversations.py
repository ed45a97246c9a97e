"""What a memory does with the tables of threads and messages, in plain synchronous steps.

One idea: two processes may add to one thread at once. The place of a message in its thread is
unique in the table, so the one who comes second meets a `ConflictError` and counts anew.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from lumos_nb import clock
from lumos_nb.errors import ConflictError, ThreadNotFoundError, nearest
from lumos_nb.ids import new_id
from lumos_nb.memory._rows import TOKEN_COLUMNS, message_of, message_row, to_json
from lumos_nb.memory.threads import GetMessagesParams
from lumos_nb.messages import Message
from lumos_nb.stores import Delete, Insert, Store, Update, Upsert
from lumos_nb.stores.base import Condition, Write
from lumos_nb.stores.reading import read_rows
from lumos_nb.stores.schema import MESSAGES, THREADS

_ATTEMPTS = 200
THREAD_COLUMNS = [c.name for c in THREADS.columns]
_OF_RUNS = ("exchanges", "events", "tool_calls", "steps", "runs")


def new_thread_row(**columns: Any) -> dict[str, Any]:
    """Return the row of a thread without messages; sums start at 0, also the cost."""
    now = clock.time_ns()
    zero = dict.fromkeys(("n_runs", "n_messages", "n_steps", *TOKEN_COLUMNS), 0)
    return {"status": "open", "created_at": now, "updated_at": now, **zero, "cost_usd": 0.0, **columns}


def find_thread(store: Store, name: str) -> dict[str, Any] | None:
    """Return the thread of that id, or that title (the last changed), or that unique beginning of an id."""
    for column in ("thread_id", "title"):
        for row in _threads(store, [(column, "=", name)], limit=1):
            return row
    # From `name` to the greatest text that begins with it: an index can answer this.
    found = _threads(store, [("thread_id", ">=", name), ("thread_id", "<", name + "\U0010ffff")], limit=2)
    return found[0] if len(found) == 1 and len(name) >= 4 else None


def get_thread(store: Store, name: str) -> dict[str, Any]:
    """Return what `find_thread` finds, or raise."""
    row = find_thread(store, name)
    if row is None:
        raise not_found(store, name)
    return row


def not_found(store: Store, name: str) -> ThreadNotFoundError:
    """Return the error for a thread that does not exist, with the nearest title."""
    titles = [
        t or i
        for t, i in store.select("threads", ["title", "thread_id"], order=["-updated_at", "-thread_id"], limit=500)
    ]
    return ThreadNotFoundError(
        f"There is no thread {name!r}.", hint=nearest(name, set(titles)) or "No thread has been kept yet."
    )


def list_threads(store: Store, notebook: str | None, *, archived: bool) -> list[dict[str, Any]]:
    """Return threads, last changed first."""
    where: list[Condition] = [] if archived else [("status", "!=", "archived")]
    if notebook is not None:
        where.append(("notebook", "=", notebook))
    return _threads(store, where)


def _threads(store: Store, where: Sequence[Condition], limit: int | None = None) -> list[dict[str, Any]]:
    order = ["-updated_at", "-thread_id"]
    return list(read_rows(store, "threads", THREAD_COLUMNS, where=where, order=order, limit=limit))


def delete_thread(store: Store, thread_id: str) -> None:
    """Remove a thread and everything that was recorded in it."""
    runs = [run for (run,) in store.select("runs", ["run_id"], where=[("thread_id", "=", thread_id)])]
    of_runs = [Delete(table, {"run_id": run}) for run in runs for table in _OF_RUNS]
    own = [Delete(table, {"thread_id": thread_id}) for table in ("messages", "threads")]
    kept = [Delete("working_memory", {"scope": thread_id}), Delete("kept_settings", {"name": allowed_key(thread_id)})]
    store.write([*of_runs, *own, *kept])


def allowed_key(thread_id: str) -> str:
    """Return the name under which a thread's allowed tools are kept."""
    return f"allowed:{thread_id}"


def change_allowed(store: Store, thread_id: str, added: set[str], removed: set[str]) -> None:
    """Change the tools that a person allowed in a thread; in the store's thread, where nothing comes between."""
    key = allowed_key(thread_id)
    rows = store.select("kept_settings", ["value_json"], where=[("name", "=", key)])
    before = next((set(msgspec.json.decode(value)) for (value,) in rows), set())
    after = to_json(sorted((before | added) - removed))
    store.write([Upsert("kept_settings", {"name": key, "updated_at": clock.time_ns(), "value_json": after})])


def fork_thread(store: Store, thread: dict[str, Any], title: str | None, run_id: str | None = None) -> str:
    """Copy a thread's messages, up to and with those of a run, into a new thread; return its id."""
    thread_id = new_id("thread")
    names = [c.name for c in MESSAGES.columns]
    where = [("thread_id", "=", thread["thread_id"])]
    copies = []
    last = _last_of(store, thread["thread_id"], run_id) if run_id is not None else None
    for message in read_rows(store, "messages", names, where=where, order=["idx"]):
        if last is not None and message["idx"] > last:
            break
        copies.append(message | {"thread_id": thread_id, "message_id": new_id("message")})
    kept = ("agent", "resource_id", "notebook", "metadata_json", "tags_json")
    row = new_thread_row(
        **{name: thread[name] for name in kept},
        title=title or f"{thread['title']} (fork)",
        parent_thread_id=thread["thread_id"],
        forked_at_seq=len(copies),
        n_messages=len(copies),
        thread_id=thread_id,
    )
    store.write([Insert("threads", row), *(Insert("messages", copy) for copy in copies)])
    return thread_id


def _last_of(store: Store, thread_id: str, run_id: str) -> int:
    """Return the position of a run's last message in a thread; -1 where it left none."""
    where: list[Condition] = [("thread_id", "=", thread_id), ("run_id", "=", run_id)]
    return max((int(idx) for (idx,) in store.select("messages", ["idx"], where=where)), default=-1)


def read_messages(store: Store, thread_id: str, params: GetMessagesParams) -> list[Message]:
    """Return a page of a thread's messages, in the order of the conversation."""
    where: list[Condition] = [("thread_id", "=", thread_id), *params.conditions()]
    for cursor, comparison in ((params.before, "<"), (params.after, ">")):
        if cursor is not None:
            where.append(("idx", comparison, _position(store, thread_id, cursor)))
    last_first = params.limit is not None and params.after is None
    order = ["-idx" if last_first else "idx"]
    rows = store.select("messages", ["content_json", "message_id"], where=where, order=order, limit=params.limit)
    messages = [message_of(*row) for row in rows]
    return messages[::-1] if last_first else messages


def _position(store: Store, thread_id: str, message_id: str) -> int:
    where = [("message_id", "=", message_id), ("thread_id", "=", thread_id)]
    for (idx,) in store.select("messages", ["idx"], where=where):
        return int(idx)
    raise ThreadNotFoundError(
        f"Thread {thread_id!r} has no message {message_id!r}.", hint="Take the id of a message that was read from it."
    )


def with_ids(messages: Sequence[Message]) -> list[Message]:
    """Return the messages with new ids."""
    return [msgspec.structs.replace(m, id=new_id("message")) for m in messages]


def write_with_messages(
    store: Store,
    writes: Sequence[Write],
    thread_id: str,
    messages: Sequence[Message],
    columns: Sequence[dict[str, Any]] = (),
) -> None:
    """Do writes and add messages at the end of a thread, in one transaction.

    Args:
        columns: What else is to stand in the row of each message.
    """
    for attempt in range(_ATTEMPTS):
        start = _next_idx(store, thread_id)
        try:
            return store.write([*writes, *_message_writes(thread_id, messages, start, columns)])
        except ConflictError:
            if attempt + 1 == _ATTEMPTS or _next_idx(store, thread_id) == start:
                raise  # nobody took the place: an id exists twice
        time.sleep(random.uniform(0, 0.002 * min(attempt + 1, 20)))  # noqa: S311


def _message_writes(
    thread_id: str, messages: Sequence[Message], start: int, columns: Sequence[dict[str, Any]]
) -> list[Write]:
    now = clock.time_ns()
    rows = [message_row(m, thread_id=thread_id, idx=start + i, created_at=now) for i, m in enumerate(messages)]
    added = Update("threads", {"thread_id": thread_id}, {"updated_at": now}, {"n_messages": len(rows)})
    more = columns or [{}] * len(rows)
    return [*(Insert("messages", row | other) for row, other in zip(rows, more, strict=True)), added]


def _next_idx(store: Store, thread_id: str) -> int:
    rows = store.select("messages", ["idx"], where=[("thread_id", "=", thread_id)], order=["-idx"], limit=1)
    return next((idx + 1 for (idx,) in rows), 0)
