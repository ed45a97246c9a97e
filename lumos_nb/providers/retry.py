"""Whether a request is sent again, and when.

One idea: only what may go better the next time, after as long as the server asks for, else longer
each time and never all at once.
"""

from __future__ import annotations

import random
from typing import Any

from lumos_nb import clock, settings
from lumos_nb.errors import LumosError, ProviderError

_LONGEST_WAIT_S = 60.0


def wait_s(error: LumosError, attempt: int) -> float | None:
    """Return the seconds to wait before the next try, or None if there is to be none."""
    if not isinstance(error, ProviderError) or not error.is_temporary or attempt >= settings.current().max_retries:
        return None
    if error.retry_after_s is not None:
        return error.retry_after_s if error.retry_after_s <= _LONGEST_WAIT_S else None
    spread = 1.0 if clock.is_virtual() else random.uniform(0.75, 1.0)  # noqa: S311 - not for secrets
    return float(min(8.0, 0.5 * 2**attempt) * spread)


def retrying(failure: LumosError, seconds: float, attempt: int) -> dict[str, Any]:
    """Return what a caller is told before a further try."""
    return {
        "kind": "retry",
        "state": f"retrying in {seconds:.2g} s: {failure.message}",
        "wait_s": seconds,
        "attempt": attempt,
        "error": type(failure).__name__,
        "status": getattr(failure, "status", None),
    }


def asking_again(attempt: int) -> dict[str, Any]:
    """Return what a caller is told when the wait is over.

    Example:
        >>> asking_again(1)
        {'state': 'asking again: try 2 of 3'}
    """
    return {"state": f"asking again: try {attempt + 1} of {settings.current().max_retries + 1}"}
