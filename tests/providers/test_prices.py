"""Prices: known, unknown, free; never a failure."""

import pytest

from lumos_nb.events import TokenUsage
from lumos_nb.providers import prices

USAGE = TokenUsage(input_tokens=1000, output_tokens=100, cache_read_tokens=10, reasoning_tokens=5)


def test_a_model_at_home_costs_nothing():
    assert prices.cost_usd("local", "smollm2", USAGE) == 0.0


def test_an_unknown_price_is_none_and_not_zero():
    assert prices.cost_usd("mine", "llama", USAGE) is None
    assert prices.cost_usd("openai", "no-such-model", USAGE) is None


def test_a_table_that_fails_does_not_fail_the_run(monkeypatch):
    class Broken:
        Usage = dict

        def calc_price(self, *args, **kwargs):
            raise RuntimeError

    monkeypatch.setattr(prices, "_table", Broken)
    assert prices.cost_usd("openai", "gpt-5.6-luna", USAGE) is None


def test_without_the_table_there_is_no_price(monkeypatch):
    monkeypatch.setattr(prices, "_table", lambda: None)
    assert prices.cost_usd("openai", "gpt-5.6-luna", USAGE) is None


def test_a_known_model_has_a_price():
    pytest.importorskip("genai_prices")
    cost = prices.cost_usd("openai", "gpt-5.6-luna", USAGE)
    assert cost is not None and 0 < cost < 0.01
