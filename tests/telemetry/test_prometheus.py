"""Prometheus' own parser reads the text, and finds the figures of the points in it."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lumos_nb.telemetry.metrics.points import MetricPoint
from lumos_nb.telemetry.prometheus import exposition
from lumos_nb.telemetry.semconv import BUCKETS, METRICS

NASTY = 'a"b\\c\nd {x="y"} # 🎉 \u202e \x00 \ud83d'


def point(name, value, **labels):
    kind, unit, _ = METRICS[name]
    labels = {k.replace("__", "."): v for k, v in labels.items()}
    return MetricPoint(ts_ns=0, name=name, kind=kind, value=value, unit=unit, run_id="r-secret-id", labels=labels)


def parsed(points):
    return {family.name: family for family in text_string_to_metric_families(exposition(points))}


def test_a_histogram_has_cumulative_buckets_a_sum_and_a_count():
    name = "gen_ai.client.operation.duration"
    values = [0.005, 0.01, 0.0100001, 50.0, 100.0]
    family = parsed([point(name, v, model="m") for v in values])["gen_ai_client_operation_duration_seconds"]
    assert family.type == "histogram" and family.documentation == METRICS[name][2]
    buckets = {s.labels["le"]: s.value for s in family.samples if s.name.endswith("_bucket")}
    assert list(buckets) == [*(str(b) for b in BUCKETS[name]), "+Inf"]
    for bound, count in buckets.items():
        assert count == sum(v <= float(bound.replace("+Inf", "inf")) for v in values)
    rest = {s.name.rpartition("_")[2]: s.value for s in family.samples if not s.name.endswith("_bucket")}
    assert rest == {"sum": pytest.approx(sum(values)), "count": 5}


def test_points_of_the_same_labels_are_one_series_and_others_are_not():
    points = [point("lumos.cost", 0.25, a="x"), point("lumos.cost", 0.5, a="x"), point("lumos.cost", 1, a="y")]
    family = parsed(points)["lumos_cost_usd"]
    assert {s.labels["a"]: s.value for s in family.samples} == {"x": 0.75, "y": 1.0}
    assert {s.name for s in family.samples} == {"lumos_cost_usd_total"}


def test_any_text_of_a_label_comes_back_as_it_was():
    (family,) = parsed([point("lumos.runs", 1, gen_ai__agent__name=NASTY)]).values()
    (sample,) = family.samples
    assert sample.labels == {"gen_ai_agent_name": NASTY.replace("\ud83d", "�")}


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_has_a_name_that_prometheus_takes(name):
    ((shown, family),) = parsed([point(name, 1.5, x="y")]).items()
    assert family.type == METRICS[name][0] and shown.replace("_", "").isalnum() and shown == shown.lower()


def test_values_that_are_no_numbers_and_no_points_at_all():
    text = exposition([point("lumos.cost", float("nan")), point("gen_ai.execute_tool.duration", float("inf"))])
    assert list(text_string_to_metric_families(text)) and exposition([]) == ""


def test_ids_are_not_in_it():
    assert "r-secret-id" not in exposition([point("lumos.runs", 1, a="x")])
