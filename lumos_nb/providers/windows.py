"""How many tokens a model takes at once.

One idea: what nobody has written down is not known; no number stands in for it.
"""

from __future__ import annotations

import functools

from lumos_nb.providers.price_rows import TABLE_IDS
from lumos_nb.providers.vendors import VENDORS


@functools.lru_cache(1024)
def context_window(provider: str, model: str) -> int | None:
    """Return the tokens that a model can take, or None where that is not known.

    The vendors' rows know it of their default models, the package `genai-prices` of some others.

    Example:
        >>> context_window("anthropic", VENDORS["anthropic"].default_model)
        1000000
        >>> context_window("nobody", "nothing") is None
        True
    """
    vendor = VENDORS.get(provider)
    if vendor is not None and model == vendor.default_model and vendor.context_window:
        return vendor.context_window
    id = TABLE_IDS.get(provider, "")
    return None if not id or "{host}" in id else _listed(id, model)


def _listed(id: str, model: str) -> int | None:
    try:
        from genai_prices.data_snapshot import get_snapshot

        found = get_snapshot().find_provider_model(model, None, id, None)[1].context_window
    except Exception:  # not installed, no such model, or another shape of a foreign table
        return None
    return int(found) if found else None
