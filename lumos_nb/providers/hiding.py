"""What must not be kept of a request and its answer: every secret that was sent, however it comes back.

One idea: what was sent is known, so it is looked for by its text, in the forms that a server gives it, and nothing
has to look like a key.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from lumos_nb.credentials import Secret
from lumos_nb.transport import Request

SHORTEST = 8
"""A word of fewer characters, as servers of one's own are given, is no secret, and stands in many other words."""
DOTS = "••••"
_NAMED_SECRET = re.compile(r"auth|key|token|secret|cookie|password|sig$|signature|credential", re.I)
_SCHEME = re.compile(r"(?:bearer|basic|token|apikey)\s+", re.I)


def secrets_of(url: str, headers: Mapping[str, str], key: Secret | None = None) -> tuple[str, ...]:
    """Return the texts that were sent and are secret: the key, what headers named so hold, and those of the address.

    Example:
        >>> secrets_of("https://ada:pass-1234@host/v1?api-version=2024-10-21", {"X-Gateway-Key": "abcd-5678"})
        ('abcd-5678', 'pass-1234', 'ada:pass-1234')
    """
    found = [] if key is None else [key.reveal()]
    found += [_SCHEME.sub("", value, count=1) for name, value in headers.items() if _NAMED_SECRET.search(name)]
    if "@" in url or "?" in url:
        found += _in_address(url)
    return tuple(dict.fromkeys(text for text in found if len(text) >= SHORTEST))


def secrets_in(request: Request, key: Secret | None = None) -> tuple[str, ...]:
    """Return the secrets of a request; see `secrets_of`."""
    return secrets_of(request.url, request.headers, key)


def hidden(text: str, secrets: Iterable[str]) -> str:
    """Return a text with dots for secrets, also where they are escaped, quoted or encoded.

    Example:
        >>> hidden("Bad key: abc%2F45678 (YWJjLzQ1Njc4)", ["abc/45678"])
        'Bad key: •••• (••••)'
    """
    for secret in secrets:
        for form in _forms(secret):
            text = text.replace(form, DOTS)
    return text


def hidden_bytes(data: bytes, secrets: Iterable[str]) -> bytes:
    """Return bytes with dots for secrets; see `hidden`."""
    for secret in secrets:
        for form in _forms(secret):
            data = data.replace(form.encode(), DOTS.encode())
    return data


def _in_address(url: str) -> list[str]:
    try:
        parts = urlsplit(url)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        query = [value for name, value in parse_qsl(parts.query) if _NAMED_SECRET.search(name)]
    except ValueError:  # an address that cannot be asked
        return []
    # As they go into a header together.
    return [*([password, f"{user}:{password}"] if password else []), *query]


@lru_cache(64)
def _forms(secret: str) -> tuple[str, ...]:
    """Return a secret as it is, in JSON, in an address, and in Base64; the longest first."""
    raw = secret.encode(errors="surrogatepass")
    in_json = json.dumps(secret)[1:-1]
    quoted = quote(raw, safe="")
    based = [base64.b64encode(raw).decode().rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("=")]
    forms = {
        secret,
        in_json,
        in_json.replace("/", r"\/"),
        quoted,
        re.sub("%..", lambda m: m[0].lower(), quoted),
        *based,
    }
    return tuple(sorted(forms, key=len, reverse=True))
