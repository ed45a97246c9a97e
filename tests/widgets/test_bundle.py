# ruff: noqa: E501 (texts and scripts of pages stand on one line)
"""The saved output: it reads well, and nothing in it acts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lumos_nb.transcript import MIME, Transcript
from lumos_nb.widgets.bundle import static_bundle
from lumos_nb.widgets.results import SHOWN_CHARS, clean, display_html

TAGS = {
    "div", "span", "p", "pre", "code", "strong", "em", "s", "a", "img", "br", "hr", "ul", "ol", "li", "blockquote",
    "h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td", "details", "summary",
}  # fmt: skip
ATTRIBUTES = {
    "style",
    "open",
    "href",
    "target",
    "rel",
    "src",
    "alt",
    "title",
    "start",
    "data-lumos",
    "data-since",
    "data-widget",
    "data-lm-suppress-shortcuts",
}
PIECES = [
    "<script>x()</script>", "<img src=x onerror=x()>", '" onclick="x()', "'><svg onload=x()>", "[a](javascript:x())", "![a](http://e/x.png)",
    "<style>*{}</style>", "`", "```", "```html\n", "**", "$", "$x$", "|a|b|\n|-|-|\n", "\n\n", "- ", "\ue0000\ue001", "</details></div>", "&lt;",
    "<!--", "]]>", "{head}", "{0}", "[a]: data:text/html,x\n", "<a@b.c>", "![a](data:image/svg+xml;base64,AA)", "text",
]  # fmt: skip
hostile = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=8).map("".join)


class Walk(HTMLParser):
    """Fails on any tag, attribute or address that the saved output may not have."""

    def __init__(self, extra: set[str] = frozenset()) -> None:  # type: ignore[assignment]
        super().__init__()
        self.extra, self.stack = extra, []  # type: set[str], list[str]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS | self.extra, tag
        for name, value in attrs:
            assert name in ATTRIBUTES | self.extra, name
            if name == "src":
                assert value and value.startswith("data:image/"), value
            if name == "href":
                assert not re.match(r"\s*(javascript|vbscript|data|file):", value or "", re.I), value
            if name == "style":
                assert "url(" not in (value or "")
        if tag not in {"img", "br", "hr"}:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"img", "br", "hr"}:
            assert self.stack and self.stack.pop() == tag, "tags are not balanced"

    def handle_comment(self, data: str) -> None:
        raise AssertionError("a comment")


def check(html: str, extra: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    walk = Walk(extra)
    walk.feed(html)
    walk.close()
    assert not walk.stack


def document(**fields: Any) -> dict[str, Any]:
    return {**Transcript("t").doc, "status": "completed", "started_at": 0.0, **fields}


def tool(**fields: Any) -> dict[str, Any]:
    return {
        "kind": "tool", "call_id": "c", "name": "rows", "arguments": "{}", "status": "ok", "started_at": 0.0, "duration_s": 0.03,
        "content": "", "display": {}, "size_bytes": 0, "error_type": None, "traceback": None, "output": [], **fields,
    }  # fmt: skip


WIDGET = "application/vnd.jupyter.widget-view+json"


@settings(max_examples=150, deadline=None)
@given(hostile, hostile, st.sampled_from(["ok", "error", "waiting", "denied", "cancelled", "running"]))
def test_nothing_in_any_field_becomes_a_tag(a: str, b: str, status: str) -> None:
    items = [
        {"kind": "text", "text": a + b},
        {"kind": "reasoning", "text": b, "duration_s": 1.0},
        tool(name=a, arguments=json.dumps({a: b, b: [a]}), status=status, content=b, traceback=a + "\n" + b,
             decision={"decision": "deny", "by": a, "reason": b, "asked": b},
             output=[{"kind": "stdout", "text": a}, {"kind": "stderr", "text": "\x1b[31m" + b + "\x1b[0m\r"},
                     {"kind": "display", "data": {"text/markdown": b}}, {"kind": "clear"},
                     {"kind": "display", "data": {WIDGET: {"model_id": a}, "text/plain": b}, "display_id": a},
                     {"kind": "display", "data": {"application/json": {a: b}}}]),
        tool(arguments=a, content=b, call_id=a, question={"reason": a, "schema": {"properties": {a: b}}, "asked_at": 0.0}),
        {"kind": "user", "text": a},
    ]  # fmt: skip
    error = {"type": a, "message": a, "hint": b}
    for state in ("completed", "failed"):
        bundle = static_bundle(document(agent=a, model=b, thread=a, items=items, status=state, error=error))
        check(bundle["text/html"])


@settings(max_examples=100, deadline=None)
@given(hostile)
def test_html_of_a_tool_keeps_its_text_and_loses_what_acts(html: str) -> None:
    shown = display_html({"text/html": html, "text/plain": "x"})
    assert not re.search(
        r"<script|<svg|<style|<iframe|\son\w+=[^<]*>|javascript:[^<]*\"", re.sub(r">[^<]*<", "><", shown), re.I
    )


def test_a_table_keeps_its_cells_and_loses_handlers_and_far_pictures() -> None:
    html = clean('<table class="x" onclick="y()"><tr><td colspan=2 style="position:fixed">a<img src="https://e/x.png"></td></tr></table>'
                 '<a href="javascript:x()">b</a><iframe src="x"></iframe><button data-commandlinker-command="x">c</button>')  # fmt: skip
    assert html.startswith('<table><tbody><tr><td colspan="2">a</td></tr></tbody></table><a ')
    assert html.endswith(">b</a>c") and "href" not in html and 'rel="noopener noreferrer"' in html


def test_pictures_are_data_and_a_drawing_cannot_run() -> None:
    assert display_html({"image/png": "aGk=\n"}).startswith('<img src="data:image/png;base64,aGk="')
    svg = display_html({"image/svg+xml": "<svg onload='x()'></svg>"})
    assert "<svg" not in svg and svg.startswith('<img src="data:image/svg+xml;base64,')


def test_a_giant_result_is_cut_with_a_note_of_its_size() -> None:
    shown = display_html({"text/plain": "x" * (SHOWN_CHARS * 3)})
    assert len(shown) < SHOWN_CHARS + 1000 and "The first 100 kB of 300 kB are shown." in shown


def test_a_bundle_has_four_forms_and_the_document_survives_json() -> None:
    doc = document(items=[{"kind": "text", "text": "Hello"}])
    bundle = static_bundle(doc)
    assert list(bundle) == [MIME, "text/html", "text/markdown", "text/plain"]
    assert json.loads(json.dumps(bundle[MIME])) == doc


def test_the_plain_form_reads_like_a_mail() -> None:
    doc = document(
        agent="analyst", model="m", thread="sales", n_steps=2, n_tool_calls=1, duration_s=4.1, cost_usd=0.0042,
        usage={"input_tokens": 812, "output_tokens": 412},
        items=[tool(arguments='{"table": "orders", "limit": 5}', content="3 rows"), {"kind": "text", "text": "The mean is $42.10."}],
    )  # fmt: skip
    assert static_bundle(doc)["text/plain"] == (
        "analyst · m · thread sales\n\n[rows(orders, limit=5)] ✓ 0.03 s\n  3 rows\n\nThe mean is $42.10.\n\n"
        "✓ 2 steps · 1 tool · 812 in, 412 out · $0.0042 · 4.1 s · sales"
    )
    assert static_bundle(doc)["text/markdown"].startswith("> `rows(orders, limit=5)` ✓ 0.03 s  3 rows\n\nThe mean")


def test_a_failed_run_keeps_its_text_and_says_what_to_do() -> None:
    error = {"type": "CredentialError", "message": "No key.", "hint": "Set KEY."}
    bundle = static_bundle(document(status="failed", error=error, items=[{"kind": "text", "text": "Partial"}]))
    for form in ("text/html", "text/markdown", "text/plain"):
        assert all(word in bundle[form] for word in ("Partial", "No key.", "Set KEY.", "✗ Failed"))


def test_a_run_without_text_says_so() -> None:
    assert "ended without a text" in static_bundle(document())["text/html"]


@pytest.mark.parametrize("key", ["ok", "error", "waiting"])
def test_a_row_is_open_when_it_failed_or_waits_unless_a_person_chose(key: str) -> None:
    html = static_bundle(document(items=[tool(status=key)]))["text/html"]
    assert ('data-lumos="tool" open' in html) is (key != "ok")
    html = static_bundle(document(items=[tool(status=key, open=key == "ok")]))["text/html"]
    assert ('data-lumos="tool" open' in html) is (key == "ok")


def test_colours_of_a_terminal_become_styles_and_nothing_else_does() -> None:
    shown = display_html(
        {
            "text/plain": "\x1b[1;31mred\x1b[0m \x1b[38;5;21mblue\x1b[39m \x1b[48;2;1;2;3mx\x1b[m\x1b[2K\x1b]0;title\x07<b>"
        }
    )
    check(shown)
    assert '<span style="font-weight:bold;color:#e75c58">red</span>' in shown
    assert (
        '<span style="color:rgb(0,0,255)">blue</span>' in shown
        and '<span style="background:rgb(1,2,3)">x</span>&lt;b&gt;' in shown
    )
    assert "\x1b" not in shown and "title" not in shown
    check(display_html({"text/plain": "\x1b[38;2;9999;1m \x1b[38m \x1b[;;;m \x1b[38;5m a \x1b["}))


def test_a_living_widget_has_a_place_and_a_text_that_stands_for_it() -> None:
    shown = display_html({WIDGET: {"model_id": "ab12", "version_major": 2}, "text/plain": "IntSlider(value=3)"})
    assert shown.startswith('<div data-widget="ab12">') and "IntSlider(value=3)" in shown
    for strange in ('"><script>', "", "a b", None, {"a": 1}):
        assert "data-widget" not in display_html({WIDGET: {"model_id": strange}, "text/plain": "x"})
    assert "data-widget" not in display_html({WIDGET: "x", "text/html": '<p data-widget="ab12">y</p>'})


def test_the_bundle_needs_no_widgets() -> None:
    code = "import sys, lumos_nb.widgets.bundle; sys.exit('ipywidgets' in sys.modules or 'IPython' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
