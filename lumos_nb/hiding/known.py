"""The secrets that this process holds: of its environment, its settings and the keyring.

One idea: what is kept has no secret that was sent; this is the second look before it is shown. Only what has the
shape of a key, or is one that this process knows, becomes dots: a prompt stays as it was sent.
"""

from __future__ import annotations

import os
import re

from lumos_nb import settings
from lumos_nb.credentials import known_stored_keys
from lumos_nb.hiding.addresses import without_keys
from lumos_nb.hiding.forms import DOTS, SHORTEST
from lumos_nb.hiding.shapes import without_shapes

_NAMES_A_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.I)


def masked(text: str, known: tuple[str, ...] | None = None) -> str:
    """Return a text with dots for what looks like a key, and for the keys that this process knows.

    Example:
        >>> masked('{"text": "my key is sk-proj-0123456789abcdef0", "sort": "pk_orders"}')
        '{"text": "my key is ••••", "sort": "pk_orders"}'
    """
    for secret in known_secrets() if known is None else known:
        text = text.replace(secret, DOTS)
    return without_shapes(text)


def masked_bytes(data: bytes) -> bytes:
    """Return bytes with dots for what looks like a key; bytes that are no text stay as they are."""
    return masked(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def masked_url(url: str) -> str:
    """Return an address without user, password and keys in its query.

    Example:
        >>> masked_url("https://ada:pw@host/v1?alt=sse&key=abc")
        'https://host/v1?alt=sse&key=••••'
    """
    return masked(without_keys(url))


def known_secrets() -> tuple[str, ...]:
    """Return the keys that this process knows, the longest first: of its environment, its settings and the keyring."""
    return tuple(sorted(named_secrets(), key=len, reverse=True))


def named_secrets() -> dict[str, str]:
    """Return the keys that this process knows, and of each in words where it is from.

    Example:
        >>> "the value of PATH" in named_secrets().values()
        False
    """
    found = {key.reveal(): "a key of the system's keyring" for key in known_stored_keys()}
    found |= {key.reveal(): f"the key of {vendor!r} in the settings" for vendor, key in settings.current().keys.items()}
    found |= {
        value.strip(): f"the value of {name}" for name, value in os.environ.items() if _NAMES_A_SECRET.search(name)
    }
    return {value: name for value, name in found.items() if len(value) >= SHORTEST and not value.startswith("/")}
