# ruff: noqa: E501 (scripts and texts stand on one line)
"""The waterfall: every span is in it, nothing in it acts, and what is strange is shown as it is."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lumos_nb.events import TokenUsage
from lumos_nb.telemetry import Waterfall, waterfall
from lumos_nb.telemetry.span import OPS, Span
from lumos_nb.telemetry.waterfall.folding import SHOWN_WHOLE, rows_of
from lumos_nb.telemetry.waterfall.scale import scale_of

START = 1_790_000_000_000_000_000
MS = 1_000_000


def span(id="a", parent=None, op="chat", start_ms=0, end_ms: int | None = 100, status="ok", **more) -> Span:
    fields = {"trace_id": "0" * 32, "run_id": "r1", "name": op, **more}
    end = None if end_ms is None else START + end_ms * MS
    return Span(span_id=id, parent_span_id=parent, op=op, start_ns=START + start_ms * MS, end_ns=end, status=status,
                **fields)  # fmt: skip


USAGE = TokenUsage(input_tokens=400, output_tokens=20)
RUN = [
    span("run", None, "invoke_agent", 0, 9_000, "error", agent="analyst", provider="openai", model="gpt-5",
         error_type="RateLimitError", error_message="Too many requests."),
    span("m1", "run", "chat", 10, 1_200, step=1, model="gpt-5", usage=USAGE, cost_usd=0.002, ttft_s=0.3,
         attributes={"stop_reason": "tool_calls"}),
    span("t1", "run", "execute_tool", 1_200, 1_230, tool="rows", tool_call_id="c1",
         attributes={"args_json": '{"table": "orders"}', "result_preview": "3 rows\nof orders"}),
    span("w1", "run", "approval", 1_200, 3_200, tool="drop",
         attributes={"decision": "deny", "decided_by": "person", "decision_reason": "Not today."}, status="denied"),
    span("t2", "run", "execute_tool", 3_200, 4_000, tool="ask", attributes={"args_json": "{}"}),
    span("sub", "t2", "invoke_agent", 3_210, 3_990, agent="expert", run_id="r2"),
    span("m2", "sub", "chat", 3_220, 3_980, step=1, model="small", usage=USAGE, cost_usd=0.001, run_id="r2"),
    span("m3", "run", "chat", 4_000, 9_000, "error", step=2, model="gpt-5", error_type="RateLimitError",
         error_message="Too many requests."),
    span("w2", "m3", "retry", 4_500, 5_500),
]  # fmt: skip


def test_the_tree_of_a_run_reads_as_it_went():
    assert waterfall(RUN).to_text() == (
        "analyst · openai/gpt-5 · ✗ error · 9.00 s · 800 in, 40 out · $0.003 · RateLimitError: Too many requests.\n"
        "├─ step 1 · gpt-5 · ✓ · 1.19 s · first token 0.30 s · 400 in, 20 out · $0.002 · tool_calls\n"
        "├─ rows(table='orders') · ✓ · 0.03 s · → 3 rows of orders\n"
        "├─ waited for a person · drop · ✗ denied · 2.00 s · denied by you: Not today.\n"
        "├─ ask() · ✓ · 0.80 s\n"
        "│  └─ expert · ✓ · 0.78 s · 400 in, 20 out · $0.001\n"
        "│     └─ step 1 · small · ✓ · 0.76 s · 400 in, 20 out · $0.001\n"
        "└─ step 2 · gpt-5 · ✗ error · 5.00 s · RateLimitError: Too many requests.\n"
        "   └─ waited to try again · ✓ · 1.00 s"
    )


def test_a_cost_that_is_not_known_makes_that_of_the_run_unknown():
    text = waterfall([*RUN[:2], span("m", "run", usage=USAGE, cost_usd=None)]).to_text()
    assert "800 in, 40 out" in text.splitlines()[0] and "$" not in text.splitlines()[0]


def test_each_shape_is_another_so_that_no_colour_is_needed():
    drawn = {row[0]: row[1] for row in re.findall(r"<title>(.*?)</title>(.*?)</svg>", waterfall(RUN).to_html(), re.S)}
    shapes = [re.sub(r"[\d.]+|var\([^)]*\)|currentColor", "", drawing) for drawing in drawn.values()]
    assert len(set(shapes)) >= 4


spans_of_any_kind = st.lists(
    st.builds(
        lambda n, parent, op, start, length, status, tool: span(
            f"s{n}", None if parent is None else f"s{parent}", op, start, None if length is None else start + length,
            status, tool=tool, model=tool),
        st.integers(0, 200), st.none() | st.integers(0, 200), st.sampled_from([*OPS, "teleport"]),
        st.integers(-10_000, 10_000), st.none() | st.integers(-100, 5_000),
        st.sampled_from(["ok", "error", "denied", "cancelled", "running", "waiting", "exploded"]),
        st.none() | st.sampled_from("abcdefgh"),
    ),
    max_size=200,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(spans_of_any_kind)
def test_every_span_is_a_bar_or_counted_in_a_fold_also_where_parents_go_round_in_circles(spans):
    rows = rows_of(spans, shown_whole=40)
    counted = sorted(id(one) for row in rows for one in row.spans)
    assert counted == sorted(map(id, spans))
    assert len(rows) <= SHOWN_WHOLE
    shown = waterfall(spans).to_html()
    assert shown.count("<summary") >= len(rows_of(spans))
    check(shown)
    assert len(waterfall(spans).to_text().splitlines()) == max(1, len(rows_of(spans)))


def many(n: int, deep: bool = False) -> list[Span]:
    spans = [span("run", None, "invoke_agent", 0, n, agent="a")]
    for i in range(1, n):
        op = OPS[1 + i % 3]
        spans.append(span(f"s{i}", spans[-1].span_id if deep else "run", op, i, i + 1 + (i == 777) * 500,
                          "error" if i in {5, 9_999} else "ok", tool=f"tool{i % 5}", model="m"))  # fmt: skip
    return spans


@pytest.mark.parametrize("deep", [False, True])
def test_thirty_thousand_spans_are_a_page_that_says_what_is_folded(deep):
    shown = waterfall(many(30_000, deep))
    html = shown.to_html()
    assert len(html) < 400_000 and html.count("<summary") <= SHOWN_WHOLE
    assert len(shown.to_text()) < 30_000
    check(html)
    told = re.search(r"([\d,]+) of 30,000 spans, ([\d,]+) that failed among them, are folded", html)
    assert told and 29_000 < int(told[1].replace(",", "")) < 30_000
    if not deep:
        assert told[2] == "0" and html.count("✗ error") == 2
        assert any(len(row.spans) == 1 and row.spans[0].span_id == "s777" for row in rows_of(shown.spans))


PIECES = [
    "<script>x()</script>", "</script>", "]]>", "<!--", '" onload="x()', "'><img src=x onerror=x()>", "\x1b[31m", "\x00",
    "\ud800", "\u202e", "\u2028", "\ufffe", "\x85", "&amp;", "&#x0;", "$x$", "</details></svg>", "javascript:x()", "\u0600", "a\u0301",
]  # fmt: skip
hostile = st.lists(st.sampled_from(PIECES) | st.text(st.characters(), max_size=6), max_size=6).map("".join)


@settings(max_examples=150, deadline=None)
@given(hostile, hostile)
def test_no_text_of_a_run_becomes_markup_or_acts(a, b):
    spans = [
        span("run", None, "invoke_agent", agent=a, model=b, provider=a, attributes={"prompt_preview": b}),
        span("t", "run", "execute_tool", tool=a, attributes={"args_json": b, "result_preview": a, "extra": b}),
        span("e", "run", "chat", status="error", model=b, error_type=a, error_message=b),
        span("w", "run", "approval", tool=b,
             attributes={"decision": a or "deny", "decided_by": b, "decision_reason": a}),
        span("u", "run", a or "x", name=b, status=b or "x"),
    ]  # fmt: skip
    shown = waterfall(spans)
    check(shown.to_html())
    text = shown.to_text()
    assert len(text.splitlines()) == 5
    assert all(char.isprintable() or char in "\n\u200c\u200d" or char.isspace() for char in text)


def check(html: str) -> None:
    """Fail unless it is well-formed, also as XML, and has no tag or attribute that acts or fetches."""
    html.encode()
    for element in ElementTree.fromstring(html).iter():
        assert element.tag in {"div", "span", "details", "summary", "pre", "code", "svg", "path", "rect", "text",
                               "title", "br", "strong", "del", "ins", "table", "tr", "td", "th"}  # fmt: skip
        assert set(element.attrib) <= {"style", "open", "width", "height", "viewBox", "preserveAspectRatio", "role", "d",
                                       "x", "y", "text-anchor", "aria-label"}  # fmt: skip
        assert "url(" not in element.attrib.get("style", "")


@pytest.mark.parametrize(
    ("start_ms", "end_ms"), [(0, -5_000), (0, None), (-(10**12), 0), (10**12, 10**12), (-(START // MS), 0)]
)
def test_clocks_that_jump_and_ends_that_never_came_are_shown_as_they_are(start_ms, end_ms):
    spans = [RUN[0], span("x", "run", "execute_tool", start_ms, end_ms, "running", tool="odd")]
    shown = waterfall(spans)
    check(shown.to_html())
    assert "odd" in shown.to_text()
    if end_ms is None:
        assert "not ended" in shown.to_text() and "not ended" in shown.to_html()


def test_a_clock_that_was_put_back_is_told():
    assert "the clock was put back" in waterfall([span(start_ms=500, end_ms=100)]).to_html()


def test_a_long_absence_is_drawn_short_and_its_length_is_told():
    hour = 3_600_000
    spans = [
        span("run", None, "invoke_agent", 0, 3 * hour, agent="a"),
        span("m1", "run", "chat", 0, 2_000, model="m"),
        span("w", "run", "away", 2_000, 3 * hour - 2_000),
        span("m2", "run", "chat", 3 * hour - 2_000, 3 * hour, model="m"),
    ]
    scale = scale_of(spans)
    assert scale.place(spans[1].end_ns) > 0.4 and scale.place(spans[3].start_ns) < 0.6
    assert ">+2:59:56<" in waterfall(spans).to_html()
    places = [tick.place for tick in scale.ticks()]
    assert places == sorted(places) and all(0 <= place <= 1 for place in places)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**15), st.integers(0, 10**13)), min_size=1, max_size=20), st.randoms())
def test_later_is_never_further_left(times, random):
    spans = [span(f"s{n}", None, random.choice(OPS), 0, 0) for n in range(len(times))]
    spans = [msgspec.structs.replace(s, start_ns=a, end_ns=a + b) for s, (a, b) in zip(spans, times, strict=True)]
    scale = scale_of(spans)
    moments = sorted(moment for s in spans for moment in (s.start_ns, s.end_ns or 0))
    places = [scale.place(moment) for moment in moments]
    assert all(a <= b + 1e-9 for a, b in zip(places, places[1:], strict=False))
    assert all(-1e-9 <= place <= 1 + 1e-9 for place in places)
    assert len(scale.ticks()) < 60


def test_a_break_of_hours_before_a_nanosecond_of_work_moves_nothing_to_the_left():
    work = msgspec.structs.replace(span("s", None, "chat", 0, 0), start_ns=6_672_656_977_791, end_ns=6_672_656_977_792)
    scale = scale_of([msgspec.structs.replace(work, op="retry", start_ns=0, end_ns=0), work])
    assert scale.place(117_780_290_526) <= scale.place(117_780_290_529)


def test_no_text_is_taken_for_a_formula():
    html = waterfall(
        [span("t", None, "execute_tool", tool="a$x$", attributes={"result_preview": "\\(x\\) $5 and $6"})]
    ).to_html()
    assert not re.search(r"\$[^<]|\\[^<]", html)


def test_nothing_is_told_where_there_is_nothing():
    assert waterfall([]).to_text() == "Nothing was recorded."
    check(waterfall([]).to_html())


def test_a_giant_text_is_shown_by_its_ends_with_its_size():
    giant = span("t", None, "execute_tool", tool="t", attributes={"result_preview": "a" + "x" * 50_000_000 + "z"})
    html = Waterfall([giant]).to_html()
    assert len(html) < 40_000
    assert "characters left out" in html and "of 50,000,002 characters" in html
