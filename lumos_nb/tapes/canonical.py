"""What makes two requests the same: method, address, the headers that matter, and the body whatever its spacing.

One idea: both sides go through here, what is on the tape and what is about to be sent, so that nothing can match by
having been changed on one side only.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec

from lumos_nb.tapes.format import RequestLine
from lumos_nb.transport.base import LOOPBACK

MATCHED_HEADERS = frozenset({"accept", "content-type", "anthropic-version", "anthropic-beta", "openai-beta"})
"""Request headers that are on a tape; another value of one is another request."""


def canonical(line: RequestLine) -> dict[str, Any]:
    """Return what a request is compared by, as plain values."""
    body: Any = msgspec.json.decode(line.body) if bytes(line.body) else line.body64
    return {"method": line.method, "url": _url(line.url), "headers": dict(line.headers), "body": body}


def key(line: RequestLine) -> bytes:
    """Return the same bytes for requests that are the same, and others for others."""
    return msgspec.json.encode(canonical(line), order="sorted")


def _url(url: str) -> str:
    """Return an address without the port of this machine, which is given anew each time.

    Example:
        >>> _url("http://127.0.0.1:54321/v1/models"), _url("https://api.example:8443/v1")
        ('http://127.0.0.1/v1/models', 'https://api.example:8443/v1')
    """
    parts = urlsplit(url)
    return parts._replace(netloc=parts.hostname or "").geturl() if parts.hostname in LOOPBACK else url
