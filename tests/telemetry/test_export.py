"""Traces as files: versioned data, OTLP, and a page that needs nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lumos_nb.errors import UsageError
from lumos_nb.telemetry import load_trace, load_traces
from lumos_nb.telemetry.files import export_text, form_of, page
from tests.telemetry.recording import database, recorded

SAMPLE = Path(__file__).parents[1] / "samples" / "v1" / "trace.json"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with database(tmp_path_factory.mktemp("export") / "lumos.db") as store:
        recorded(thread="sales")
        recorded(thread="sales")
        yield store


def test_json_has_all_that_its_first_version_had(store):
    data, sample = (
        json.loads(export_text([load_trace(load_traces("sales", store)[0].run_id, store)], "json")),
        json.loads(SAMPLE.read_text()),
    )
    assert data["v"] == sample["v"] == 1
    assert set(sample) <= set(data)
    assert set(sample["spans"][0]) <= set(data["spans"][0]) and set(sample["steps"][0]) <= set(data["steps"][0])
    assert set(sample["steps"][0]["tool_calls"][0]) <= set(data["steps"][0]["tool_calls"][0])


def test_a_thread_is_written_with_all_its_runs(store):
    data = json.loads(export_text(load_traces("sales", store), "json"))
    assert data["v"] == 1 and len(data["traces"]) == 2


def test_otlp_has_every_span(store):
    trace = load_traces("sales", store)[0]
    data = json.loads(export_text([trace], "otlp"))
    spans = [s for r in data["resourceSpans"] for scope in r["scopeSpans"] for s in scope["spans"]]
    assert {span["spanId"] for span in spans} <= {span.span_id for span in trace.spans} and spans


def test_a_page_needs_nothing_else_and_runs_nothing(store):
    html = page(load_traces("sales", store))
    assert html.count("<h1>") == 2 and "default-src 'none'" in html and "prefers-color-scheme: dark" in html
    assert "<script" not in html and "http-equiv" in html and "src=" not in html and "href=" not in html


@pytest.mark.parametrize(("path", "form"), [("a.JSON", "json"), ("b/a.otlp.json", "otlp"), ("a.htm", "html")])
def test_the_ending_says_the_form(path, form):
    assert form_of(path) == form


def test_an_ending_that_says_nothing_is_an_error(store):
    with pytest.raises(UsageError, match=r"\.otlp\.json"):
        form_of("trace.txt")
    with pytest.raises(UsageError, match="cannot be written as 'htmll'"):
        export_text([], "htmll")
