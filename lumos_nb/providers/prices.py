"""What a model call cost.

One idea: a price that is not known is None, never 0; and a price table must never fail a run.
"""

from __future__ import annotations

import functools
from typing import Any

from lumos_nb.events import TokenUsage
from lumos_nb.providers.vendors import VENDORS


def cost_usd(provider: str, model: str, usage: TokenUsage) -> float | None:
    """Return the price of `usage` in US dollars, or None if it is not known.

    Prices come from the package `genai-prices` (`pip install "lumos-nb[prices]"`). Models that run
    on a machine of one's own cost nothing.

    Example:
        >>> cost_usd("local", "smollm2", TokenUsage(input_tokens=10))
        0.0
        >>> cost_usd("nobody", "nothing", TokenUsage(input_tokens=10)) is None
        True
    """
    if _is_at_home(provider):
        return 0.0
    table = _table()
    if table is None:
        return None
    counts = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens or None,
        "cache_write_tokens": usage.cache_write_tokens or None,
    }
    try:
        price = table.calc_price(table.Usage(**counts), model, provider_id=provider).total_price
        return float(price)
    except Exception:  # A foreign table: whatever it says, the run goes on without a price.
        return None


def cost_source(provider: str) -> str:
    """Return where a vendor's prices come from: `local`, `table`, or `unknown`.

    Example:
        >>> cost_source("local")
        'local'
    """
    if _is_at_home(provider):
        return "local"
    return "unknown" if _table() is None else "table"


def _is_at_home(provider: str) -> bool:
    """Whether the vendor is a server of one's own: the rows that need no key."""
    vendor = VENDORS.get(provider)
    return vendor is not None and not vendor.needs_key


@functools.cache
def _table() -> Any:
    try:
        import genai_prices
    except ImportError:
        return None
    return genai_prices
