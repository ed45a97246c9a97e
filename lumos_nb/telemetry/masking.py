"""Keys, taken out of what is shown of a request and its answer.

One idea: what is kept has no secret already; this is the second look before it is shown. Only what
has the shape of a key, or is one that this process knows, becomes dots: a prompt stays as it was sent.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from lumos_nb import settings
from lumos_nb.credentials import known_stored_keys

DOTS = "••••"

# Each begins with a plain text, which is looked for first: of fifty megabytes most have none of them.
_SHAPES = {
    **{f"{vendor}{line}": r"[\w-]{16,}"
       for vendor in ("sk", "pk", "rk", "gsk", "xai", "hf", "tgp", "nvapi", "fw") for line in "-_"},
    **{f"{kind}_": r"\w{16,}" for kind in ("ghp", "gho", "ghs", "ghu", "github_pat")},
    "glpat-": r"[\w-]{16,}", "xox": r"[a-z]-[\w-]{8,}", "AIza": r"[\w-]{20,}", "AKIA": r"[A-Z0-9]{12,}",
    "ASIA": r"[A-Z0-9]{12,}", "eyJ": r"[\w-]{8,2000}\.[\w-]{8,}(?:\.[\w-]+)?", "bce-v3/": r"\S{8,}",
}  # fmt: skip
# `risk-…` is no key. That is asked behind the plain text, with which a search is quick.
_COMPILED = {start: re.compile(rf"{start}(?<![\w-]{start}){rest}") for start, rest in _SHAPES.items()}
_PEM = re.compile(r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----(?:(?!-----END)[\s\S]){0,4000}")
_BEARER = re.compile(r"(?<=earer )[\w.~+/=-]{8,}")
_SECRET_HEADER = re.compile(r"auth|key|token|secret|cookie|password|signature|credential", re.I)
_SECRET_QUERY = re.compile(
    r"(?<=[?&;])((?:[\w-]*(?:key|token|secret|sig|signature|password|credential)[\w-]*)=)[^&;#]+", re.I
)
_USER = re.compile(r"(?<=://)[^/?#\s@]*@")
_NAMES_A_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.I)
# Headers that are named like a secret and hold figures.
_OPEN_HEADERS = re.compile(r"ratelimit|rate-limit|token-count|tokens?$", re.I)
_SHORTEST = 8


def masked(text: str, known: tuple[str, ...] | None = None) -> str:
    """Return a text with dots for what looks like a key, and for the keys that this process knows.

    Example:
        >>> masked('{"text": "my key is sk-proj-0123456789abcdef0", "sort": "pk_orders"}')
        '{"text": "my key is ••••", "sort": "pk_orders"}'
    """
    for secret in known_secrets() if known is None else known:
        text = text.replace(secret, DOTS)
    for start, shape in [*_COMPILED.items(), ("-----BEGIN ", _PEM), ("earer ", _BEARER)]:
        if start in text:
            text = shape.sub(DOTS, text)
    return text


def masked_bytes(data: bytes) -> bytes:
    """Return bytes with dots for what looks like a key; bytes that are no text stay as they are."""
    return masked(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def masked_url(url: str) -> str:
    """Return an address without user, password and keys in its query.

    Example:
        >>> masked_url("https://ada:pw@host/v1?alt=sse&key=abc")
        'https://host/v1?alt=sse&key=••••'
    """
    return masked(_SECRET_QUERY.sub(rf"\1{DOTS}", _USER.sub("", url)))


def masked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers with dots for those that hold a key.

    Example:
        >>> masked_headers({"x-api-key": "abc", "content-type": "text/plain", "x-ratelimit-limit-tokens": "10"})
        {'x-api-key': '••••', 'content-type': 'text/plain', 'x-ratelimit-limit-tokens': '10'}
    """
    return {
        name: DOTS if _SECRET_HEADER.search(name) and not _OPEN_HEADERS.search(name) else masked_url(value)
        for name, value in headers.items()
    }


def known_secrets() -> tuple[str, ...]:
    """Return the keys that this process knows, the longest first: of its environment, its settings and the keyring."""
    found = {value.strip() for name, value in os.environ.items() if _NAMES_A_SECRET.search(name)}
    found |= {key.reveal() for key in (*settings.current().keys.values(), *known_stored_keys())}
    return tuple(sorted((v for v in found if len(v) >= _SHORTEST and not v.startswith("/")), key=len, reverse=True))
