"""Which runs a word means: `last`, a run, a thread or a trace.

One idea: a person types what is on the screen: the end of an id, a thread's title. What is near
is named where nothing fits.
"""

from __future__ import annotations

from lumos_nb.errors import UsageError, nearest
from lumos_nb.memory import _conversations as conversations
from lumos_nb.memory.runs import find_run
from lumos_nb.messages import valid_text
from lumos_nb.stores import Store
from lumos_nb.stores.base import Condition

MOST_RUNS = 20
"""Of a thread so many runs are shown, the last ones."""


def find_runs(store: Store, name: str = "last") -> list[str]:
    """Return the ids of the runs that a word means, oldest first.

    Of a thread they are its last twenty; of a trace those that are no part of another run of it.

    Args:
        store: Where to look.
        name: `last`; a run id, or its unique beginning or end; a trace id; a thread's title or id.

    Raises:
        UsageError: There is nothing of that name; names what is near.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> find_runs(open_store(tempfile.mkdtemp() + "/lumos.db"))
        Traceback (most recent call last):
        lumos_nb.errors.UsageError: There is no run yet. Run a %%agent cell first.
    """
    if not isinstance(name, str):
        raise UsageError(
            f"{type(name).__name__!r} is no name of a run.",
            hint="Give last, a run's id (of a result, result.run_id), or a thread's title.",
        )
    name = valid_text(name)
    if name == "last":
        return [find_run(store)]
    if found := _ids(store, [("run_id", "=", name)]) or _of_trace(store, name):
        return found
    thread = conversations.find_thread(store, name)
    if thread is not None and name in {thread["thread_id"], thread["title"]}:
        return _of_thread(store, thread)
    try:
        return [find_run(store, name)]
    except UsageError as error:
        failure = error
    if thread is not None:
        return _of_thread(store, thread)
    if "fits" not in failure.message:
        failure = UsageError(f"There is no run {name!r}, and no thread or trace of that name.", hint=_near(store, name))
    raise failure


def _of_trace(store: Store, name: str) -> list[str]:
    digits = name.replace("-", "").lower()
    if len(digits) != 32:
        return []
    # Older versions kept the dashes of a run's id.
    dashed = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    found = _ids(store, [("trace_id", "in", [name, digits, dashed])])
    parents = dict(store.select("runs", ["run_id", "parent_run_id"], where=[("run_id", "in", found)]))
    return [run for run in found if parents.get(run) not in parents]


def _of_thread(store: Store, thread: dict[str, str]) -> list[str]:
    where = [("thread_id", "=", thread["thread_id"])]
    rows = store.select("runs", ["run_id"], where=where, order=["-started_at", "-run_id"], limit=MOST_RUNS)
    if found := [run for (run,) in rows][::-1]:
        return found
    raise UsageError(f"Thread {thread['title']!r} has no runs.", hint="%trace df shows all runs that were recorded.")


def _ids(store: Store, where: list[Condition]) -> list[str]:
    return [run for (run,) in store.select("runs", ["run_id"], where=where, order=["started_at", "run_id"])]


def _near(store: Store, name: str) -> str:
    threads = store.select("threads", ["title", "thread_id"], order=["-updated_at", "-thread_id"], limit=200)
    names = {name for row in threads for name in row if name}
    recent = [run for (run,) in store.select("runs", ["run_id"], order=["-started_at", "-run_id"], limit=50)]
    near = nearest(name, [*names, *recent])
    if "Did you mean" not in near:
        near = f"The last run is {recent[0]!r}." if recent else "Run a %%agent cell first."
    return f"{near} %trace df shows all runs."
