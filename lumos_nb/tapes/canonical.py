"""What makes two requests the same: method, address, the headers that matter, and the body whatever its spacing.

One idea: both sides go through here, what is on the tape and what is about to be sent, so that nothing can match by
having been changed on one side only.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import urlsplit

from lumos_nb.tapes.format import RequestLine
from lumos_nb.transport.base import LOOPBACK

MATCHED_HEADERS = frozenset(
    {
        "accept",
        "content-type",
        "anthropic-version",
        "anthropic-beta",
        "openai-beta",
        "mcp-protocol-version",
    }
)
"""Request headers that are on a tape; another value of one is another request."""


def canonical(line: RequestLine) -> dict[str, Any]:
    """Return what a request is compared by, as plain values.

    Example:
        >>> import msgspec
        >>> body = msgspec.Raw(b'{"b": 1.0, "a": [true]}')
        >>> canonical(RequestLine(i=0, url="http://127.0.0.1:5001/v1?b=2&a=1", body=body))["body"]
        {'b': 1.0, 'a': [True]}
    """
    found: dict[str, Any] = {"method": line.method, "url": _url(line.url), "headers": dict(line.headers)}
    if text := bytes(line.body):
        found["body"] = _value(text)
    if line.body64:
        found["body64"] = line.body64
    return found


def key(line: RequestLine) -> bytes:
    """Return the same bytes for requests that are the same, and others for others.

    The order of keys and the spacing do not count; types do, as 1 and 1.0, and so does an absent key beside null.

    Example:
        >>> import msgspec
        >>> def of(body):
        ...     return key(RequestLine(i=0, url="http://h/", body=msgspec.Raw(body)))
        >>> of(b'{"a":1,"b":2}') == of(b'{ "b": 2, "a": 1 }'), of(b'{"a":1}') == of(b'{"a":1.0}')
        (True, False)
    """
    text = json.dumps(canonical(line), sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def spelling(line: RequestLine) -> bytes:
    """Return the same bytes for requests that are the same letter for letter: sooner known than `key`.

    Example:
        >>> spelling(RequestLine(i=0, url="http://h/")) == spelling(RequestLine(i=1, url="http://h/"))
        True
    """
    found = hashlib.blake2b(repr((line.method, _url(line.url), sorted(line.headers.items()))).encode(), digest_size=16)
    found.update(b"64" + line.body64.encode() if line.body64 else bytes(line.body))
    return found.digest()


def _value(text: bytes) -> Any:
    try:
        # Not msgspec: a number that no float holds is one to it, too.
        return json.loads(text)
    except (ValueError, RecursionError):
        return {"as it is": text.decode(errors="backslashreplace")}


def _url(url: str) -> str:
    """Return an address without the port of this machine, which is given anew each time, and its query in order.

    Example:
        >>> _url("http://127.0.0.1:54321/v1/models"), _url("https://api.example:8443/v1?b=2&a=1")
        ('http://127.0.0.1/v1/models', 'https://api.example:8443/v1?a=1&b=2')
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    netloc = (parts.hostname or "") if parts.hostname in LOOPBACK else parts.netloc
    return parts._replace(netloc=netloc, query="&".join(sorted(parts.query.split("&")))).geturl()
