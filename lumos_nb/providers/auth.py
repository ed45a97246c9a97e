"""How a request shows who sends it: a key in a header, or a signature.

One idea: this is the one place where a key is revealed.
"""

from __future__ import annotations

from lumos_nb import settings
from lumos_nb.credentials import Secret, find_key, find_stored_key
from lumos_nb.errors import CredentialError
from lumos_nb.providers.vendors import Vendor


def key_of(vendor: Vendor) -> Secret | None:
    """Return a vendor's key: from the settings, else the environment, else the keyring.

    Example:
        >>> from lumos_nb.providers.vendors import VENDORS
        >>> key_of(VENDORS["local"]) is None
        True
    """
    if not vendor.key_env:
        return settings.current().keys.get(vendor.id)
    return settings.current().keys.get(vendor.id) or find_key(vendor.key_env) or find_stored_key(vendor.id)


def headers_of(vendor: Vendor, key: Secret | None, *, is_needed: bool, key_header: str = "") -> dict[str, str]:
    """Return the headers that carry the key and whatever else the vendor wants in each request.

    Args:
        vendor: The vendor's row.
        key: Its key, if there is one.
        is_needed: Whether it is an error that there is none.
        key_header: Header for the key; empty: the row's.

    Raises:
        CredentialError: There is no key and one is needed, or it cannot be one.
    """
    if key is None:
        if is_needed and not vendor.signing:
            raise CredentialError(
                f"Provider {vendor.id!r} has no API key.",
                hint=f"Set {vendor.key_env[0]}, or run %lumos login {vendor.id}.",
            )
        return dict(vendor.headers)
    text = key.reveal()
    if not text.isascii() or not text.isprintable():
        raise CredentialError(f"The key for {vendor.id!r} holds characters that no key has.", hint="Copy it again.")
    name = key_header or vendor.key_header
    return {**vendor.headers, name: f"Bearer {text}" if name == "authorization" else text}
