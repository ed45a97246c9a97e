"""What leaves follows OpenTelemetry's conventions, and arrives: span by span, metric by metric."""

from __future__ import annotations

import json

import msgspec
import pytest

import lumos_nb as lumos
from lumos_nb import Agent, settings
from lumos_nb.stores import default_store
from lumos_nb.telemetry import otel, semconv
from lumos_nb.telemetry.otel.content import CAPTURE, MAX_BYTES
from lumos_nb.telemetry.otel.spans import otel_spans
from lumos_nb.telemetry.spans import OPS, Span, read_spans
from lumos_nb.testing import ScriptedProvider
from lumos_nb.transport import default_transport
from tests.telemetry import golden
from tests.telemetry.collector import Collector, values

INT, TEXT, REAL, TRUTH, TEXTS = int, str, float, bool, tuple
TYPES = {
    "gen_ai.operation.name": TEXT, "gen_ai.provider.name": TEXT, "gen_ai.request.model": TEXT,
    "gen_ai.response.model": TEXT, "gen_ai.request.stream": TRUTH, "gen_ai.response.finish_reasons": TEXTS,
    "gen_ai.response.time_to_first_chunk": REAL, "gen_ai.usage.input_tokens": INT, "gen_ai.usage.output_tokens": INT,
    "gen_ai.usage.cache_read.input_tokens": INT, "gen_ai.usage.cache_write.input_tokens": INT,
    "gen_ai.usage.reasoning.output_tokens": INT, "gen_ai.conversation.id": TEXT, "gen_ai.agent.name": TEXT,
    "gen_ai.tool.name": TEXT, "gen_ai.tool.type": TEXT, "gen_ai.tool.call.id": TEXT, "error.type": TEXT,
    "server.address": TEXT, "server.port": INT, "lumos.cost.usd": REAL,
}  # fmt: skip
WELL_KNOWN = {"chat", "text_completion", "generate_content", "embeddings", "execute_tool", "create_agent",
              "invoke_agent", "invoke_workflow", "retrieval"}  # fmt: skip


@pytest.fixture
async def collector(tmp_path, monkeypatch):
    """Golden runs, sent to a collector while they ended."""
    with Collector() as collector, golden.served() as server:
        monkeypatch.setenv("LUMOS_DB", str(tmp_path / "lumos.db"))
        monkeypatch.setenv("LUMOS_OTLP", collector.url)
        monkeypatch.setenv(
            "LUMOS_VENDORS", json.dumps({"mine": {"base_url": server.base_url, "format": "openai-chat"}})
        )
        monkeypatch.setenv("LUMOS_PRICES", json.dumps({"mine/m": {"input": 1, "output": 2}}))
        settings.reset()
        collector.model_server = server
        await golden.record(server.base_url)
        assert otel.flush(10)
        yield collector
        await default_transport().aclose()
    settings.reset()


def sent(collector):
    return {s.span_id.hex(): s for s in collector.spans}


async def test_every_span_of_every_kind_of_run_follows_the_conventions(collector):
    ours = {s.span_id: s for s in read_spans(default_store())}
    arrived = sent(collector)
    assert arrived.keys() == ours.keys()
    assert {s.op for s in ours.values()} >= {"invoke_agent", "chat", "execute_tool", "approval", "retry"}
    for id, span in arrived.items():
        check(span, ours[id])


def check(span, ours: Span) -> None:
    found = values(span.attributes)
    assert span.trace_id.hex() == ours.trace_id and span.parent_span_id.hex() == (ours.parent_span_id or "")
    assert ours.start_ns == span.start_time_unix_nano <= span.end_time_unix_nano == ours.end_ns
    assert span.kind == {"CLIENT": 3, "INTERNAL": 1}["CLIENT" if ours.op == "chat" else "INTERNAL"]
    if ours.op in semconv.KINDS:
        assert found["gen_ai.operation.name"] == ours.op in WELL_KNOWN
        assert span.name == f"{ours.op} {found[semconv.NAME_FROM[ours.op]]}"
        wanted = [*semconv.REQUIRED[ours.op], *(semconv.RECOMMENDED[ours.op] if ours.status == "ok" else ())]
        assert [name for name in wanted if name not in found] == []
    else:
        assert span.name == f"lumos.{ours.op}" and "gen_ai.operation.name" not in found
    for name, value in found.items():
        assert type(value) is TYPES.get(name, type(value)), name
        assert name.startswith(("lumos.", "server.", "gen_ai.", "error.")), name
        assert name.startswith("lumos.") or name in TYPES, name
    assert ("error.type" in found) is (span.status.code == 2) is (ours.status in {"error", "cancelled"})
    assert found.get("gen_ai.conversation.id") == ours.thread_id


async def test_where_a_model_answers_is_said_and_one_in_this_process_is_internal(collector):
    (chat,) = [values(s.attributes) for s in collector.spans if s.name == "chat m"]
    assert f"http://{chat['server.address']}:{chat['server.port']}" in collector.model_server.base_url
    assert chat["gen_ai.usage.cache_read.input_tokens"] == 40 and chat["gen_ai.usage.input_tokens"] == 100
    embedded = next(s for s in read_spans(default_store()) if s.op == "chat")
    embedded = msgspec.structs.replace(embedded, provider="local")
    assert otel_spans([embedded])[0].kind == "INTERNAL"


async def test_tokens_and_cost_stand_on_model_calls_alone_and_add_up_to_the_runs(collector):
    usage = [s for s in collector.spans if "gen_ai.usage.input_tokens" in values(s.attributes)]
    assert {values(s.attributes)["gen_ai.operation.name"] for s in usage} == {"chat"}
    assert sum(values(s.attributes)["gen_ai.usage.input_tokens"] for s in usage) == lumos.runs().input_tokens.sum()
    cost = [values(s.attributes).get("lumos.cost.usd") for s in collector.spans]
    assert sum(filter(None, cost)) == pytest.approx(lumos.steps().cost_usd.sum(), abs=1e-12) and sum(filter(None, cost))
    total = [values(s.attributes).get("lumos.aggregated_usage.input_tokens", 0) for s in collector.spans]
    assert sum(total) == lumos.runs().input_tokens.sum()


async def test_a_callers_trace_goes_on_through_the_run_to_the_model_server_and_into_runs_within(collector):
    arrived = sent(collector)
    by_agent = {values(s.attributes)["gen_ai.agent.name"]: s for s in arrived.values() if s.name.startswith("invoke")}
    _, trace, parent, _ = golden.PARENT.split("-")
    assert (by_agent["tools"].trace_id.hex(), by_agent["tools"].parent_span_id.hex()) == (trace, parent)
    assert lumos.runs().set_index("agent").loc["tools", "parent_span_id"] == parent
    expert, outer = by_agent["expert"], by_agent["outer"]
    tool = arrived[expert.parent_span_id.hex()]
    assert tool.name == "execute_tool ask_expert" and tool.parent_span_id == outer.span_id
    assert expert.trace_id == outer.trace_id
    for request in collector.model_server.requests:
        _, trace, span, flags = request.headers["traceparent"].split("-")
        assert arrived[span].name == "chat m" and arrived[span].trace_id.hex() == trace and flags == "01"


async def test_metrics_arrive_with_the_buckets_of_the_conventions_and_no_ids(collector):
    metrics = collector.metrics
    assert metrics.keys() >= {*semconv.BUCKETS, "lumos.runs", "lumos.cost", "lumos.retries", "lumos.errors"}
    for name, buckets in semconv.BUCKETS.items():
        assert metrics[name].unit == semconv.METRICS[name][1]
        for point in metrics[name].histogram.data_points:
            assert tuple(point.explicit_bounds) == buckets and sum(point.bucket_counts) == point.count
    points = [p for m in metrics.values() for p in [*m.histogram.data_points, *m.sum.data_points]]
    ids = {*lumos.runs().run_id, "t1"}
    assert not any(ids & {str(v) for v in values(p.attributes).values()} for p in points)
    tokens = metrics["gen_ai.client.token.usage"].histogram.data_points
    inputs = sum(p.sum for p in tokens if values(p.attributes)["gen_ai.token.type"] == "input")
    assert inputs == lumos.runs().input_tokens.sum()


async def test_who_sends_is_said(collector):
    assert collector.resource["service.name"] == "lumos_nb" and collector.resource["telemetry.sdk.language"] == "python"


async def test_no_content_leaves_and_no_key_ever(collector):
    everything = b"".join(body for _, _, body in collector.requests)
    for word in ("Twice two", "Forty-two", "forty-two", "Hello there", '"x"', golden.SECRET):
        assert word.encode() not in everything, word


async def test_content_leaves_where_the_standard_variable_asks_for_it(tmp_path, monkeypatch):
    monkeypatch.setenv("LUMOS_DB", str(tmp_path / "lumos.db"))
    monkeypatch.setenv(CAPTURE, "SPAN_ONLY")
    with Collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        settings.reset()
        big = golden.call("double", json.dumps({"x": 2, "note": "y" * 300_000}))
        model = ScriptedProvider([big, "Four."])
        agent = Agent("a", model=model, tools=[golden.double], instructions="Be brief.")
        await agent.generate("Twice two?")
        assert otel.flush(10)
        chats = [values(s.attributes) for s in collector.spans if s.name.startswith("chat")]
        tools = [values(s.attributes) for s in collector.spans if s.name.startswith("execute")]
    settings.reset()
    assert json.loads(chats[0]["gen_ai.system_instructions"]) == [{"type": "text", "content": "Be brief."}]
    assert json.loads(chats[0]["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": "Twice two?"}]}
    ]
    last = json.loads(chats[1]["gen_ai.output.messages"])
    assert last == [{"role": "assistant", "parts": [{"type": "text", "content": "Four."}]}]
    arguments = tools[0]["gen_ai.tool.call.arguments"]
    assert len(arguments.encode()) <= MAX_BYTES and "299,000 characters" in arguments
    assert json.loads(arguments)["x"] == 2 and len(tools[0]["lumos.tool.call.arguments.sha256"]) == 64


async def test_a_file_of_otlp_json_is_read_by_opentelemetrys_own_parser(collector):
    from google.protobuf.json_format import ParseDict
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    data = json.loads(json.dumps(otel.otlp_json(read_spans(default_store()))))
    spans = data["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert {s["spanId"] for s in spans} == set(sent(collector))
    for span in spans:  # ids are hexadecimal in OTLP/JSON, base64 in protobuf's
        for name in ("traceId", "spanId", "parentSpanId"):
            span.pop(name, None)
    parsed = ParseDict(data, ExportTraceServiceRequest())
    by_name = {s.name: s for s in parsed.resource_spans[0].scope_spans[0].spans}
    assert values(by_name["chat m"].attributes) == {
        k: v for k, v in values(next(s for s in collector.spans if s.name == "chat m").attributes).items()
        if not k.startswith("server.")
    }  # fmt: skip


@pytest.mark.parametrize("op", OPS)
def test_a_span_with_nothing_but_what_it_must_have_is_still_a_span(op):
    bare = Span(
        trace_id="not an id", span_id="", parent_span_id="?", op=op, name=op, start_ns=-5, end_ns=None,
        status="of the future", run_id="\ud83d", tool="\ud83d",
    )  # fmt: skip
    (span,) = otel_spans([bare])
    assert len(span.trace_id) == 32 and len(span.span_id) == 16 and 0 <= span.start_ns <= span.end_ns
    assert json.dumps(otel.otlp_json([bare])).encode()


def test_the_figures_are_those_of_the_fact_sheet():
    assert semconv.BUCKETS["gen_ai.client.token.usage"][-1] == 67108864 and len(semconv.TOKEN_BUCKETS) == 14
    assert semconv.DURATION_BUCKETS[-1] == 81.92 and semconv.AGENT_BUCKETS[-1] == 409.6
    assert semconv.SEMCONV_REF.startswith("open-telemetry/semantic-conventions@")
