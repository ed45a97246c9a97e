"""Lazy queries: what they are asked, what they say of themselves, and that the store does the work."""

import enum
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import lumos_nb as lumos
from lumos_nb import frames
from lumos_nb.errors import UsageError
from lumos_nb.frames._tables import SOURCES
from lumos_nb.stores import Insert, SqliteStore, open_store


@pytest.fixture
def many(tmp_path):
    """A store with 5,000 events of five kinds, one in four without a duration."""
    store = SqliteStore(tmp_path / "many.db")
    rows = [
        {"event_id": f"e{i:05}", "ts": i * 10**9, "kind": f"k{i % 5}", "name": f"n{i % 3}" if i % 2 else None,
         "dur_s": i / 10 if i % 4 else None, "step": i % 7, "run_id": f"r{i // 100}"}
        for i in range(5_000)
    ]  # fmt: skip
    store.write([Insert("events", row) for row in rows])
    yield store
    store.close()


def test_a_query_is_a_value_and_each_step_gives_a_narrower_one(recorded):
    every = lumos.q.tool_calls
    some = every.where(tool="broken").where("duration_s", ">=", 0).since("1d")
    assert (every.count(), some.count(), some.until("1d").count()) == (6, 3, 0)
    assert some.df().tool.tolist() == ["broken"] * 3
    assert list(some.columns("tool", "result_json").df()) == ["tool", "result_json"]


def test_a_query_says_its_count_and_what_it_asks(recorded):
    said = repr(lumos.q.tool_calls.where(tool="broken", status=["error", "denied"]).since("2026-01-02 03:04").limit(2))
    assert said.splitlines()[:3] == [
        "q.tool_calls: 2 rows",
        "  where tool = 'broken' and status in ('error', 'denied') and started_at >= 2026-01-02 03:04:00",
        "  the newest 2",
    ]
    assert "SELECT * FROM tool_calls WHERE tool_calls.tool = 'broken'" in said
    assert repr(lumos.q.spans.where(op="chat")).startswith("q.spans: ")


def test_the_frames_are_queries_that_are_asked_at_once(recorded):
    for name, source in SOURCES.items():
        df = getattr(frames, name)()
        pd.testing.assert_frame_equal(df, getattr(lumos.q, name).df())
        assert getattr(lumos.q, name).count() == len(df) > 0
        assert source.time in df and not df.duplicated(list(source.key) or None).any()


def test_ranges_are_asked_of_the_store(many):
    found = frames.events(where=[("dur_s", ">", 499.5), ("kind", "!=", "k1")], store=many)
    assert found.dur_s.tolist() == [499.7, 499.8, 499.9]
    assert len(frames.events(where=("name", "contains", "N2"), store=many)) == 833
    assert len(frames.events(where=("dur_s", "=", None), store=many)) == 1_250


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda q: q.events.where("dur_ss", ">", 1), "Did you mean 'dur_s'"),
        (lambda q: q.events.where("dur_s", "~", 1), "There is: = !="),
        (lambda q: q.events.where("dur_s", ">"), "no list of conditions"),
        (lambda q: q.events.where("dur_s", ">", [1, 2]), "Only = and in"),
        (lambda q: q.events.group_by("kindd"), "Did you mean 'kind'"),
        (lambda q: q.events.group_by("kind").agg(x=("dur_s", "median")), "no function 'median'"),
        (lambda q: q.events.group_by("kind").agg(x=("name", "sum")), "no number"),
        (lambda q: q.events.group_by("kind").agg(x="dur_s"), "no measure"),
        (lambda q: q.events.group_by("kind").agg(kind=("dur_s", "sum")), "same name"),
        (lambda q: q.events.columns("nam"), "Did you mean 'name'"),
        (lambda q: q.events.batches(0), "whole number from 1"),
        (lambda q: q.events.head(-1), "n=-1"),
    ],
)
def test_what_is_asked_wrongly_is_said_before_anything_is_read(many, call, message):
    with pytest.raises(UsageError, match=message):
        call(frames.q.on(many))


def test_a_frame_that_is_not_there_has_a_near_name_and_tab_shows_those_that_are():
    with pytest.raises(AttributeError, match="Did you mean 'runs'"):
        getattr(frames.q, "rns")  # noqa: B009
    assert set(SOURCES) < set(dir(frames.q))


def test_head_and_tail_and_limit_keep_the_order_of_time(many):
    events = frames.q.on(many).events
    assert events.head(2).seq.tolist() == [1, 2]
    assert events.tail(2).seq.tolist() == [4_999, 5_000]
    assert events.limit(3).head(2).seq.tolist() == [4_998, 4_999]
    assert events.limit(3).tail(2).seq.tolist() == [4_999, 5_000]
    assert events.limit(3).limit(10).count() == 3


def test_batches_are_all_rows_once_and_only_one_batch_is_held(many):
    asked = []

    class Counted(SqliteStore):
        def select(self, *args, **more):
            for row in super().select(*args, **more):
                asked.append(1)
                yield row

    batches = frames.q.on(Counted(many.path)).events.batches(700)
    first = next(batches)
    assert len(asked) == len(first) == 700
    rest = list(batches)
    assert [len(df) for df in rest] == [700] * 6 + [100]
    assert [seq for df in [first, *rest] for seq in df.seq] == list(range(1, 5_001))
    assert all((df.dtypes.drop(["kind", "name", "status"]) == first.dtypes.drop(["kind", "name", "status"])).all()
               for df in rest)  # fmt: skip
    assert sum(len(df) for df in frames.q.on(many).events.limit(1_000).batches(300)) == 1_000


def test_groups_of_the_store_are_those_of_pandas(many):
    groups = frames.q.on(many).events.group_by("kind", "name")
    ours = groups.agg(known=("dur_s", "count"), mean=("dur_s", "mean"), least=("ts", "min"), most=("step", "max"))
    df = frames.events(store=many)
    theirs = df.groupby(["kind", "name"], dropna=False, observed=True).agg(
        n=("seq", "size"), known=("dur_s", "count"), mean=("dur_s", "mean"), least=("ts", "min"), most=("step", "max")
    )
    both = ours.set_index(["kind", "name"]).sort_index()
    assert both.n.tolist() == theirs.sort_index().n.tolist() and both.n.sum() == 5_000
    for name in ("known", "least", "most"):
        assert both[name].tolist() == theirs.sort_index()[name].tolist()
    assert both["mean"].tolist() == pytest.approx(theirs.sort_index()["mean"].tolist())
    assert ours.n.is_monotonic_decreasing
    assert str(ours.least.dtype) == "datetime64[ns, UTC]" and str(ours.kind.dtype) == "category"


def test_groups_that_no_store_can_make_mean_the_same(many):
    q = frames.q.on(many)
    figures = {"total": ("step", "sum"), "mean": ("dur_s", "mean"), "last": ("ts", "max"), "d": ("dur_s", "count")}
    pd.testing.assert_frame_equal(
        q.events.group_by("kind").agg(**figures), q.events.limit(5_000).group_by("kind").agg(**figures)
    )


def test_all_rows_are_one_group_where_no_column_is_named(many):
    for events in (frames.q.on(many).events, frames.q.on(many).events.limit(5_000)):
        total = events.group_by().agg(steps=("step", "sum"), most=("dur_s", "max"))
        assert total.values.tolist() == [[5_000, frames.events(store=many).step.sum(), 499.9]]
        nothing = events.where(kind="none").group_by().agg(steps=("step", "sum"))
        assert nothing.n.tolist() == [0] and nothing.steps.isna().all()


def test_times_of_numpy_and_pandas_are_times(many):
    import numpy as np

    ts = frames.events(store=many).ts
    for one in (
        ts[7],
        ts.to_numpy()[7],
        np.datetime64("1970-01-01T00:00:07"),
        "1970-01-01 00:00:07",
        ts[7].to_pydatetime(),
    ):
        assert frames.events(where=("ts", ">=", one), limit=None, store=many).seq.tolist()[0] == 8
        assert frames.events(since=one, store=many).seq.tolist()[0] == 8
        assert frames.events(ts=one, store=many).seq.tolist() == [8]
    for several in (ts[:3], ts[:3].to_numpy(), pd.DatetimeIndex(ts[:3]), ts[:3].dt.tz_localize(None).tolist()):
        assert frames.events(ts=several, store=many).seq.tolist() == [1, 2, 3]


def test_a_sum_with_an_unknown_amount_is_unknown(many):
    sums = frames.q.on(many).events.group_by("run_id").agg(seconds=("dur_s", "sum"), steps=("step", "sum"))
    assert sums.seconds.isna().all() and sums.steps.notna().all()
    some = frames.q.on(many).events.where("dur_s", "!=", None).group_by("run_id").agg(seconds=("dur_s", "sum"))
    assert some.seconds.notna().all()


def test_counting_by_kind_reads_an_index_and_not_the_rows(many):
    with __import__("sqlite3").connect(many.path) as raw:
        plan = raw.execute("explain query plan select kind, count(*) from events group by kind").fetchall()
    raw.close()
    assert "COVERING INDEX events_by_kind_name" in str(plan)


def test_arrow_and_polars_have_the_same_rows_and_types(many):
    query = frames.q.on(many).events.where(kind="k1")
    table = query.arrow()
    assert table.num_rows == query.count() and str(table.schema.field("ts").type) == "timestamp[ns, tz=UTC]"
    pd.testing.assert_frame_equal(table.to_pandas(), query.df(), check_categorical=False)
    polars = query.polars()
    assert polars["seq"].to_list() == query.df().seq.tolist()
    assert polars["dur_s"].null_count() == query.df().dur_s.isna().sum()


def test_a_missing_extra_says_how_to_get_it(many, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "polars", None)
    with pytest.raises(UsageError, match=r'needs polars. Run: pip install "lumos-nb\[data\]"'):
        frames.q.on(many).events.polars()


def test_a_query_of_nothing_is_empty_and_makes_no_file(tmp_path):
    q = frames.q.on(SqliteStore(tmp_path / "a" / "none.db"))
    assert [getattr(q, name).count() for name in SOURCES] == [0] * 8
    assert list(q.events.batches()) == [] and q.events.df().empty and q.events.group_by("kind").count().empty
    assert repr(q.runs).startswith("q.runs: 0 rows")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_said_in_the_repr_and_not_raised(tmp_path):
    path = tmp_path / "lumos.db"
    path.write_bytes(b"no database" * 1_000)
    assert "is not a Lumos database" in repr(frames.q.on(open_store(path)).runs)


def test_values_that_are_not_of_their_column_are_shown_or_missing(many):
    """SQLite lets another program write text into a column of numbers."""
    with __import__("sqlite3").connect(many.path) as raw:
        raw.execute(
            "update events set ts = 'soon', step = 'two', dur_s = 'long', kind = x'00ff', run_id = 7 where seq = 3"
        )
    raw.close()
    odd = frames.events(seq=3, store=many).iloc[0]
    assert odd[["ts", "step", "dur_s"]].isna().all() and odd.run_id == "7" and odd.kind == "b'\\x00\\xff'"


class Kind(enum.Enum):
    K1 = "k1"


def test_a_value_of_any_kind_compares_as_what_it_says(many):
    def n(*where):
        asked = lumos.q.on(many).events.where(*where)
        assert "events" in repr(asked)
        return asked.count()

    assert n("kind", "=", Kind.K1) == n("kind", "in", {"k1": 0}.keys()) == n("kind", "=", np.str_("k1")) == 1_000
    assert n("step", "=", "3") == n("step", "=", Decimal(3)) == n("step", "=", np.float64(3)) == n("step", "=", 3)
    assert (
        n("dur_s", "=", pd.NA) == n("dur_s", "=", pd.NaT) == n("dur_s", "=", np.nan) == n("dur_s", "=", None) == 1_250
    )
    assert n("dur_s", "<", 10**30) == n("dur_s", "<", float("inf")) == 3_750
    assert n("name", "=", "\ud83d") == 0 and n("ts", "contains", "x") == 0
    assert len(frames.events(store=many, limit=10**30)) == 5_000
    assert len(frames.spans(where=("agent", "<", 5))) == len(frames.spans(where=("depth", "contains", "x"))) == 0


@pytest.mark.parametrize("value", [b"k1", 1j, object(), {"a": 1}, pd.DataFrame({"a": [1]}), [["k1"]], len])
@pytest.mark.parametrize("column", ["kind", "step", "dur_s", "ts"])
def test_a_value_that_no_column_can_hold_is_refused_with_the_column_s_name(many, column, value):
    with pytest.raises(UsageError, match=f"'{column}' holds|is not a time"):
        lumos.q.on(many).events.where(column, "=", value)
    with pytest.raises(UsageError, match="no list of conditions"):
        frames.events(where=value, store=many)


def test_a_store_that_is_none_and_names_that_are_none_are_refused():
    with pytest.raises(UsageError, match=r"open_store\("):
        frames.runs(store="other.db")
    with pytest.raises(UsageError, match=r'columns\("a", "b"\)'):
        lumos.q.runs.columns(["agent", "model"])
