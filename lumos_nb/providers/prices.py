"""What a model call cost.

One idea: a price that is not known is None, never 0; and a price table must never fail a run.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from lumos_nb import clock, settings
from lumos_nb.events import TokenUsage
from lumos_nb.providers.price_rows import PRICE_ROWS, TABLE_IDS, Rate
from lumos_nb.providers.vendors import VENDORS, vendors


def cost_usd(provider: str, model: str, usage: TokenUsage) -> float | None:
    """Return the price of `usage` in US dollars, or None if it is not known.

    The user's own prices count first (the setting `prices`), then the package `genai-prices`
    (`pip install "lumos-nb[prices]"`), then rows of our own. Models that run on a machine of one's
    own cost nothing.

    Example:
        >>> cost_usd("local", "smollm2", TokenUsage(input_tokens=10))
        0.0
        >>> cost_usd("nobody", "nothing", TokenUsage(input_tokens=10)) is None
        True
    """
    return _priced(provider, model, usage)[0]


def cost_source(provider: str, model: str) -> str:
    """Return where a model's price comes from.

    That is `settings` (the user's own), `local` (it costs nothing), `table` (`genai-prices`),
    `lumos` (our own rows) or `unknown`.

    Example:
        >>> cost_source("local", "smollm2")
        'local'
    """
    return _priced(provider, model, TokenUsage())[1]


@functools.cache
def known_models() -> tuple[str, ...]:
    """Return the models that are known by name, as `vendor/model`: the vendors' own choice, then what has a price.

    Example:
        >>> "local/smollm2" in known_models()
        True
    """
    found = [f"{vendor.id}/{vendor.default_model}" for vendor in vendors().values() if vendor.default_model]
    return tuple(dict.fromkeys([*found, *sorted([*PRICE_ROWS, *_in_table()])]))


def _in_table() -> list[str]:
    try:
        from genai_prices.data_snapshot import get_snapshot

        listed = {provider.id: [model.id for model in provider.models] for provider in get_snapshot().providers}
    except Exception:  # not installed, or another shape of a foreign table
        return []
    return [f"{vendor}/{model}" for vendor, id in TABLE_IDS.items() for model in listed.get(id, ())]


def _priced(provider: str, model: str, usage: TokenUsage) -> tuple[float | None, str]:
    """Return a price, and where it comes from."""
    name = f"{provider}/{model}"
    if own := settings.current().prices.get(name):
        return _total(Rate(**msgspec.structs.asdict(own)), usage), "settings"
    if _is_at_home(provider):
        return 0.0, "local"
    if (price := _from_table(provider, model, usage)) is not None:
        return price, "table"
    if row := PRICE_ROWS.get(name):
        return _total(row.rate(usage.input_tokens), usage), "lumos"
    return None, "unknown"


def _total(rate: Rate, usage: TokenUsage) -> float:
    """Return US dollars: cached tokens are part of the input, reasoning is part of the output."""
    read, written = usage.cache_read_tokens, usage.cache_write_tokens
    thinking = rate.thinking if usage.reasoning_tokens else None
    dollars = (
        max(0, usage.input_tokens - read - written) * rate.input
        + read * (rate.input if rate.cache_read is None else rate.cache_read)
        + written * (rate.input if rate.cache_write is None else rate.cache_write)
        + usage.output_tokens * (rate.output if thinking is None else thinking)
    )
    return dollars / 1_000_000


def _is_at_home(provider: str) -> bool:
    """Whether the vendor is a server of one's own: a built-in row that needs no key.

    A row that a person added, or a name for a base_url, may be anything: somebody else's server
    without a key is not free of charge for that.
    """
    built_in = VENDORS.get(provider)
    return built_in is not None and not built_in.needs_key and not vendors()[provider].needs_key


def _from_table(provider: str, model: str, usage: TokenUsage) -> float | None:
    id = TABLE_IDS.get(provider)
    table = _table() if id else None
    if id is None or table is None:
        return None
    if "{host}" in id:
        model, _, host = model.partition(":")
        id = id.format(host=host)
    price = _listed(id, model, int(clock.time() // 60))
    return None if price is None else price(usage)


@functools.lru_cache(1024)
def _listed(id: str, model: str, minute: int) -> Callable[[TokenUsage], float | None] | None:
    """Return what prices a usage by the table's row, or None without a row.

    The table itself takes 0.1 ms an answer. Most rows are four rates, and `_total` knows what to do with those.

    Args:
        minute: Unix time; prices may change with the time of day.
    """
    try:
        row = _table().calc_price(_table().Usage(input_tokens=1, output_tokens=1), model, provider_id=id).model_price
        rates = {kind: getattr(row, f"{kind}_mtok", None) for kind in ("input", "output", "cache_read", "cache_write")}
    except Exception:  # a foreign table: whatever it says, the run goes on without a price
        return None
    others = ("requests_kcount", "output_reasoning_mtok")
    if all(isinstance(rate, Decimal | None) for rate in rates.values()) and not any(
        getattr(row, n, None) for n in others
    ):
        known = {kind: float(rate) for kind, rate in rates.items() if rate is not None}
        return functools.partial(_total, msgspec.convert({"input": 0.0, "output": 0.0, **known}, Rate))
    return functools.partial(_calculated, id, model)


def _calculated(id: str, model: str, usage: TokenUsage) -> float | None:
    """Return the price that the table itself works out."""
    counts = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens or None,
        "cache_write_tokens": usage.cache_write_tokens or None,
    }
    try:
        return float(_table().calc_price(_table().Usage(**counts), model, provider_id=id).total_price)
    except Exception:
        return None


@functools.cache
def _table() -> Any:
    try:
        import genai_prices
    except ImportError:
        return None
    return genai_prices
