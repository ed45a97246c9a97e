"""What many runs advise, as a DataFrame."""

from __future__ import annotations

from typing import Any

from lumos_nb.frames import _typed
from lumos_nb.frames._sources import RUN_ROWS
from lumos_nb.frames._tables import conditions_of
from lumos_nb.stores import Store, default_store
from lumos_nb.stores.schema import Column
from lumos_nb.telemetry.diagnosis.advice import advise

COLUMNS = (
    Column("kind", "cat", "what the advice is of: failing_tool, never_cached …; not_enough: too little to go by"),
    Column("subject", "text", "the tool, model or agent"),
    Column("what", "text", "what was seen"),
    Column("n", "int", "how often"),
    Column("of_n", "int", "of how many"),
    Column("do", "text", "what to do"),
    Column("saves_s", "float", "estimate over the runs looked at; NA where it is not known"),
    Column("saves_usd", "float", "estimate over the runs looked at; NA where it is not known"),
    Column("run_ids", "text", "some runs in which it can be seen, with commas between them"),
)


def advice(*, store: Store | None = None, **filters: Any) -> Any:
    """Return what the recorded runs advise as a DataFrame, what saves most first.

    Tools that often fail, prompts that no cache holds, models that are slower or dearer for the same agent,
    tools that nobody calls, answers that are cut, runs out of steps, retries and full contexts. A row is there
    only if there is enough to go by; where there are too few runs, the one row says so.

    Args:
        store: Where to look; the default database if None.
        filters: `last="7d"`, `since=`, `until=`, `where=`, and any column of `runs()`: `agent="analyst"`.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> advice(last="7d", store=open_store(tempfile.mkdtemp() + "/lumos.db"))[["kind", "n", "of_n"]].values.tolist()
        [['not_enough', 0, 10]]
    """
    names = [column.name for column in COLUMNS[:-1]]
    found = advise(store or default_store(), conditions_of(RUN_ROWS, **filters))
    rows = [(*(getattr(a, name) for name in names), ", ".join(a.run_ids)) for a in reversed(found)]
    df = _typed.frame(rows, COLUMNS, schema="advice/1", key=("kind", "subject"))
    from lumos_nb.frames._whole_text import WholeTextFrame

    whole = WholeTextFrame(df)
    whole.attrs = df.attrs
    return whole
