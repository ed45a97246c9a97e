"""What was sent with a request and is secret: its key, headers that hold one, those of its address.

One idea: what was sent is known, so it is looked for by its text (`forms.hidden`), however it comes back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from lumos_nb.credentials import Secret
from lumos_nb.hiding.forms import SHORTEST

_NAMED_SECRET = re.compile(r"auth|key|token|secret|cookie|password|sig$|signature|credential", re.I)
_SCHEME = re.compile(r"(?:bearer|basic|token|apikey)\s+", re.I)


class Sent(Protocol):
    """A request: what it is addressed to and its headers."""

    @property
    def url(self) -> str:
        """Its address, with whatever is in it."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """All of its headers."""
        ...


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


def secrets_in(request: Sent, key: Secret | None = None) -> tuple[str, ...]:
    """Return the secrets of a request; see `secrets_of`."""
    return secrets_of(request.url, request.headers, key)


def _in_address(url: str) -> list[str]:
    try:
        parts = urlsplit(url)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        query = [value for name, value in parse_qsl(parts.query) if _NAMED_SECRET.search(name)]
    except ValueError:  # an address that cannot be asked
        return []
    # As they go into a header together.
    return [*([password, f"{user}:{password}"] if password else []), *query]
