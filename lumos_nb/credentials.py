"""Keys that never print, and where they come from.

One idea: a key is a `Secret` from the moment it is read, and is revealed only to the server that it is for.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable, Mapping
from typing import Any

from lumos_nb.errors import CredentialError, MissingDependencyError

_DOTS = "••••"


class Secret:
    """A text that shows as dots wherever it is printed, formatted or logged.

    It is no `str`, so that joining, JSON and logging cannot let it out by accident.

    Example:
        >>> key = Secret("sk-1234")
        >>> key, f"{key}", key.reveal()
        (••••, '••••', 'sk-1234')
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def hidden_in(self, text: str) -> str:
        """Return a text with dots where this key stands in it.

        Example:
            >>> Secret("sk-1234").hidden_in("Bad key: sk-1234")
            'Bad key: ••••'
        """
        return text.replace(self._text, _DOTS)

    def __eq__(self, other: object) -> bool:
        from hmac import compare_digest

        return isinstance(other, Secret) and compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __repr__(self) -> str:
        return _DOTS

    def __str__(self) -> str:
        return _DOTS

    def __format__(self, spec: str) -> str:
        return format(_DOTS, spec)

    def __reduce__(self) -> Any:
        # A pickled namespace or notebook checkpoint must not carry a key to disk.
        raise TypeError("A Secret cannot be pickled.")


def find_key(names: Iterable[str], environ: Mapping[str, str] | None = None) -> Secret | None:
    """Return the first key that one of these environment variables holds.

    Example:
        >>> find_key(["A_KEY", "B_KEY"], {"A_KEY": " ", "B_KEY": "abc "}).reveal()
        'abc'
        >>> find_key(["A_KEY"], {}) is None
        True
    """
    environ = os.environ if environ is None else environ
    for name in names:
        if value := environ.get(name, "").strip():
            return Secret(value)
    return None


def find_stored_key(vendor: str) -> Secret | None:
    """Return the key that the system's keyring holds for a vendor; None without the package `keyring`.

    The keyring is asked once a process: it may be slow.
    """
    if vendor not in _stored:
        _stored[vendor] = _read_keyring(vendor)
    return _stored[vendor]


def known_stored_keys() -> list[Secret]:
    """Return the keys that the keyring has given this process so far; it is not asked."""
    return [key for key in _stored.values() if key is not None]


def store_key(vendor: str, key: str) -> None:
    """Keep a vendor's key in the system's keyring, for all kernels of this person.

    Raises:
        MissingDependencyError: The package `keyring` is not installed.
        CredentialError: The keyring refused.
    """
    if importlib.util.find_spec("keyring") is None:
        raise MissingDependencyError("The keyring needs a package.", hint='Run: pip install "lumos-nb[keyring]"')
    import keyring

    try:
        keyring.set_password(_SERVICE, vendor, key)
    except Exception as error:  # a foreign backend: locked, absent, refused
        raise CredentialError(
            f"The keyring did not take the key: {type(error).__name__}.", hint="Set the environment variable instead."
        ) from None
    _stored[vendor] = Secret(key)


_SERVICE = "lumos_nb"
_stored: dict[str, Secret | None] = {}


def _read_keyring(vendor: str) -> Secret | None:
    if importlib.util.find_spec("keyring") is None:
        return None
    import keyring

    try:
        value = keyring.get_password(_SERVICE, vendor)
    except Exception:  # a foreign backend; without one there is simply no key here
        return None
    return Secret(value.strip()) if value and value.strip() else None
