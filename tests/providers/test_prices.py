"""Prices: known, unknown, free; never a failure."""

import re

import genai_prices
import pytest

from lumos_nb import settings
from lumos_nb.events import TokenUsage
from lumos_nb.providers import llm, prices
from lumos_nb.providers.price_rows import PRICE_ROWS, TABLE_IDS
from lumos_nb.providers.vendors import VENDORS


@pytest.fixture(autouse=True)
def as_before():
    prices._listed.cache_clear()
    yield
    prices._listed.cache_clear()
    settings.reset()


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


# A model of each vendor that stands in the table; what the vendor itself sells as its default where it can be.
IN_TABLE = {
    "anthropic": "claude-sonnet-5",
    "azure": "gpt-5.4-mini",
    "bedrock": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "cohere": "command-a",
    "deepseek": "deepseek-flash",
    "google": "gemini-3.6-flash",
    "groq": "openai/gpt-oss-120b",
    "huggingface": "openai/gpt-oss-120b:together",
    "mistral": "mistral-small-latest",
    "openai": "gpt-5.6-luna",
    "openrouter": "openai/gpt-5.6-luna",
    "together": "openai/gpt-oss-120b",
    "xai": "grok-4.7",
    "zai": "glm-5.3-flash",
    "zhipu": "glm-5.3-flash",
}


def cost(vendor, model, **tokens):
    return prices.cost_usd(vendor, model, TokenUsage(**tokens))


def test_every_vendor_is_priced_by_the_table_or_by_rows_of_our_own_or_is_known_to_have_no_source():
    ours = {name.partition("/")[0] for name in PRICE_ROWS}
    at_home = {v.id for v in VENDORS.values() if not v.needs_key}
    assert set(IN_TABLE) == set(TABLE_IDS)
    assert set(VENDORS) == set(TABLE_IDS) | ours | at_home | {"baidu"}


@pytest.mark.parametrize("vendor", IN_TABLE)
def test_a_model_of_each_vendor_has_a_price_in_the_table(vendor):
    pytest.importorskip("genai_prices")
    model = IN_TABLE[vendor]
    price = cost(vendor, model, input_tokens=1_000_000, output_tokens=1_000_000)
    assert price is not None and 0.1 < price < 100
    assert prices.cost_source(vendor, model) == "table"
    table = prices._table()
    id = "huggingface_together" if vendor == "huggingface" else TABLE_IDS[vendor]
    found = table.calc_price(table.Usage(input_tokens=1), model.removesuffix(":together"), provider_id=id)
    assert found.provider.id == id


@pytest.mark.parametrize("model", ["openai/gpt-oss-120b", "openai/gpt-oss-120b:cheapest"])
def test_a_router_that_chooses_the_host_itself_has_no_known_price(model):
    assert cost("huggingface", model, input_tokens=10) is None
    assert prices.cost_source("huggingface", model) == "unknown"


def test_the_table_counts_cached_tokens_as_part_of_the_input_and_reasoning_as_part_of_the_output():
    pytest.importorskip("genai_prices")
    fresh, cached, written = (
        cost("anthropic", "claude-sonnet-5", input_tokens=1000, **kind)
        for kind in ({}, {"cache_read_tokens": 1000}, {"cache_write_tokens": 1000})
    )
    assert 0 < cached < fresh < written
    mixed = cost("anthropic", "claude-sonnet-5", input_tokens=1000, cache_read_tokens=400, cache_write_tokens=100)
    assert mixed == pytest.approx(0.5 * fresh + 0.4 * cached + 0.1 * written)
    spoken = cost("anthropic", "claude-sonnet-5", output_tokens=1000)
    assert spoken == cost("anthropic", "claude-sonnet-5", output_tokens=1000, reasoning_tokens=900)


def test_a_long_request_is_dearer_where_the_table_has_steps():
    pytest.importorskip("genai_prices")
    short, long = (cost("openai", "gpt-5.6-luna", input_tokens=n) / n for n in (1000, 1_000_000))
    assert long > short * 1.5


def test_a_model_with_no_cache_price_is_priced_as_other_input():
    pytest.importorskip("genai_prices")
    model = "openai/gpt-oss-120b"
    assert cost("together", model, input_tokens=1000, cache_read_tokens=500) == cost(
        "together", model, input_tokens=1000
    )


# ---- prices of the user ----------------------------------------------------------------


def test_the_users_price_counts_before_all_others():
    settings.configure(
        prices={
            "openai/gpt-5.6-luna": {"input": 1, "output": 10, "cache_read": 0.1, "cache_write": 2},
            "ollama/llama": {"input": 1, "output": 1},
            "mine/org/m": {"input": 3, "output": 5},
        }
    )
    usage = {"input_tokens": 1_000_000, "cache_read_tokens": 300_000, "cache_write_tokens": 200_000}
    assert cost("openai", "gpt-5.6-luna", **usage, output_tokens=100_000) == pytest.approx(0.5 + 0.03 + 0.4 + 1.0)
    # Kinds of tokens without a price of their own cost what other input costs.
    assert cost("mine", "org/m", **usage, output_tokens=1_000_000, reasoning_tokens=500_000) == pytest.approx(3 + 5)
    assert cost("ollama", "llama", input_tokens=1_000_000) == 1.0
    for vendor, model in (("openai", "gpt-5.6-luna"), ("mine", "org/m"), ("ollama", "llama")):
        assert prices.cost_source(vendor, model) == "settings"
    assert prices.cost_source("ollama", "other") == "local"


# ---- one's own machines, and other people's ----------------------------------------------


@pytest.mark.parametrize("vendor", ["local", "ollama", "vllm", "llamacpp", "lmstudio", "mock"])
def test_a_server_of_ones_own_costs_nothing(vendor):
    assert cost(vendor, "any", input_tokens=1000) == 0.0
    assert prices.cost_source(vendor, "any") == "local"


@pytest.mark.parametrize(
    ("vendor", "row"),
    [
        ("mine", {"base_url": "http://gpu:8000/v1"}),
        ("mine", {"base_url": "http://gpu:8000/v1", "needs_key": False}),
        ("openai-mirror", {"base_url": "http://gpu:8000/v1", "key_env": ["K"]}),
        ("ollama", {"base_url": "https://ollama.com", "needs_key": True}),
    ],
)
def test_a_vendor_that_a_person_added_has_no_known_price(vendor, row):
    settings.configure(vendors={vendor: row})
    assert cost(vendor, "gpt-5.6-luna", input_tokens=1000) is None
    assert prices.cost_source(vendor, "gpt-5.6-luna") == "unknown"


def test_a_known_vendor_does_not_become_free_because_it_needs_no_key_here():
    settings.configure(vendors={"qwen": {"needs_key": False}})
    assert cost("qwen", "qwen-max", input_tokens=1_000_000) == pytest.approx(0.345)


def test_a_name_for_an_address_has_no_known_price():
    provider = llm("openai-like/gpt-5.6-luna", base_url="http://127.0.0.1:9/v1")
    assert cost(provider.provider, provider.model, input_tokens=10) is None


# ---- rows of our own ---------------------------------------------------------------------


def test_rows_of_our_own_count_without_the_table_too(monkeypatch):
    monkeypatch.setattr(prices, "_table", lambda: None)
    assert cost("huawei", "openpangu-2.0-pro", input_tokens=1_000_000, output_tokens=500_000) == pytest.approx(1.48)
    assert prices.cost_source("huawei", "openpangu-2.0-pro") == "lumos"


def test_a_row_has_steps_and_a_price_for_answers_that_were_thought_about():
    assert cost("qwen", "qwen-plus", input_tokens=128_000) == pytest.approx(0.128 * 0.115)
    assert cost("qwen", "qwen-plus", input_tokens=128_001) == pytest.approx(0.128001 * 0.345)
    assert cost("qwen", "qwen-plus", input_tokens=300_000, cache_read_tokens=100_000) == pytest.approx(
        0.2 * 0.689 + 0.1 * 0.138
    )
    assert cost("qwen", "qwen-plus", output_tokens=1_000_000) == pytest.approx(0.287)
    assert cost("qwen", "qwen-plus", output_tokens=1_000_000, reasoning_tokens=1) == pytest.approx(1.147)


@pytest.mark.parametrize("name", PRICE_ROWS)
def test_every_row_says_who_said_so_and_when_and_is_in_order(name):
    row = PRICE_ROWS[name]
    vendor = name.partition("/")[0]
    assert row.source and re.fullmatch(r"20\d\d-\d\d-\d\d", row.date)
    assert vendor in VENDORS and vendor not in TABLE_IDS
    steps = [rate.above for rate in row.rates]
    assert steps[0] == 0 and steps == sorted(set(steps))
    assert all(0 < r.input <= r.output and (r.cache_read or 0) < r.input <= (r.thinking or r.output) for r in row.rates)


def test_the_default_models_of_vendors_with_rows_of_our_own_are_among_them():
    for vendor in ("qwen", "huawei"):
        assert f"{vendor}/{VENDORS[vendor].default_model}" in PRICE_ROWS


def test_where_there_is_no_source_the_price_is_not_known():
    assert cost("baidu", "ernie-5.1", input_tokens=10) is None
    assert cost("qwen", "qwen-of-next-year", input_tokens=10) is None
    assert prices.cost_source("baidu", "ernie-5.1") == "unknown"


def test_what_is_worked_out_here_is_what_the_table_says():
    from genai_prices.data_snapshot import get_snapshot

    vendors = {id: vendor for vendor, id in TABLE_IDS.items()}
    usages = [
        TokenUsage(input_tokens=1000, output_tokens=300),
        TokenUsage(input_tokens=250_000, output_tokens=9, cache_read_tokens=500, cache_write_tokens=300),
    ]
    n = 0
    for provider in get_snapshot().providers:
        for model in provider.models if provider.id in vendors else ():
            for usage in usages:
                counts = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens,
                          "cache_read_tokens": usage.cache_read_tokens or None,
                          "cache_write_tokens": usage.cache_write_tokens or None}  # fmt: skip
                try:
                    theirs = genai_prices.calc_price(genai_prices.Usage(**counts), model.id, provider_id=provider.id)
                except LookupError:  # a row that its own name does not find
                    continue
                ours = prices.cost_usd(vendors[provider.id], model.id, usage)
                assert ours == pytest.approx(float(theirs.total_price), abs=1e-9), (provider.id, model.id, usage)
                n += 1
    assert n > 500
