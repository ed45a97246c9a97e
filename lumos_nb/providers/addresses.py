"""Addresses at a server, and what is found there.

One idea: a base_url is what a person has copied from somewhere; it may end in a version or hold a query.
"""

from __future__ import annotations

import msgspec


def joined(base_url: str, path: str) -> str:
    """Return an address with a path behind it, and its query, if it has one, behind both.

    Example:
        >>> joined("https://api.example/v1", "/v1/messages")
        'https://api.example/v1/messages'
        >>> joined("https://x.example/openai?api-version=2024-10-21", "/chat/completions")
        'https://x.example/openai/chat/completions?api-version=2024-10-21'
    """
    base, mark, query = base_url.partition("?")
    if path.startswith("/v1/"):
        base = base.removesuffix("/v1")
    return base.rstrip("/") + path + (("&" if "?" in path else mark) + query if query else "")


def model_names(body: bytes) -> list[str]:
    """Return the names in a list of models, whichever of the vendors' shapes it has.

    Example:
        >>> model_names(b'{"models": [{"name": "models/gemini-3.6-flash"}]}')
        ['gemini-3.6-flash']
    """
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    rows = value.get("data") or value.get("models") or [] if isinstance(value, dict) else value
    rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    names = (row.get("id") or row.get("name") or row.get("model") for row in rows)
    return sorted(str(name).removeprefix("models/") for name in names if name)
