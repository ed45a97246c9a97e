"""Headers without those that hold a key.

One idea: what is kept is listed, what is only shown may be the rest as well, with dots for what is named like a key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from lumos_nb.hiding.forms import DOTS
from lumos_nb.hiding.known import masked_url

_SAFE = re.compile(
    r"accept|content-type|content-encoding|date|user-agent|server|retry-after|traceparent|request-id|x-request-id"
    r"|x-goog-api-client|anthropic-(version|beta|ratelimit-.+)|openai-(beta|model|processing-ms|version)"
    r"|x-ratelimit-.+|ratelimit-.+|x-should-retry|x-envoy-upstream-service-time|server-timing"
)
_SECRET = re.compile(r"auth|key|token|secret|cookie|password|signature|credential", re.I)
# Headers that are named like a secret and hold figures.
_OPEN = re.compile(r"ratelimit|rate-limit|token-count|tokens?$", re.I)


def safe_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that are known to hold no secret, names in lower case.

    Example:
        >>> safe_headers({"Content-Type": "application/json", "Authorization": "Bearer abc"})
        {'content-type': 'application/json'}
    """
    return {name.lower(): value for name, value in headers.items() if _is_safe(name.lower())}


def masked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers with dots for those that hold a key.

    Example:
        >>> masked_headers({"x-api-key": "abc", "content-type": "text/plain", "x-ratelimit-limit-tokens": "10"})
        {'x-api-key': '••••', 'content-type': 'text/plain', 'x-ratelimit-limit-tokens': '10'}
    """
    return {
        name: DOTS if _SECRET.search(name) and not _OPEN.search(name) else masked_url(value)
        for name, value in headers.items()
    }


@lru_cache(512)
def _is_safe(name: str) -> bool:
    return _SAFE.fullmatch(name) is not None
