"""Metrics as a frame: the same figures as the tables have."""

import lumos_nb as lumos


def test_figures_add_up_to_those_of_the_tables(recorded):
    metrics, steps, runs = lumos.metrics(), lumos.steps(), lumos.runs()
    tokens = metrics[metrics.name == "gen_ai.client.token.usage"].groupby("token_type", observed=True).value.sum()
    assert tokens.to_dict() == {"input": steps.input_tokens.sum(), "output": steps.output_tokens.sum()}
    assert lumos.metrics(name="lumos.runs").value.sum() == len(runs)
    assert set(metrics.run_id) == set(runs.run_id) and set(metrics.agent) == {"inner", "outer"}


def test_labels_are_columns_and_filters(recorded):
    failed = lumos.metrics(name="gen_ai.execute_tool.duration", error_type="ValueError")
    assert failed.tool.tolist() == ["broken"] * 3 and (failed.unit == "s").all()
    assert lumos.q.metrics.where(tool="ask").where("value", ">", 0).count() == 3
    assert lumos.metrics(limit=4).ts.tolist() == lumos.metrics().ts.tolist()[-4:]
    assert lumos.metrics(until="1h").empty and len(lumos.metrics(last="1h")) == len(lumos.metrics())
