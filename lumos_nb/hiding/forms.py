"""One secret in all the forms in which it comes back: plain, escaped, quoted, in Base64, in hexadecimal.

One idea: a text that is known is looked for as it is, so nothing has to look like a key.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote

SHORTEST = 8
"""A word of fewer characters, as servers of one's own are given, is no secret, and stands in many other words."""
DOTS = "••••"


def hidden(text: str, secrets: Iterable[str]) -> str:
    """Return a text with dots for secrets, also where they are escaped, quoted or encoded.

    Example:
        >>> hidden("Bad key: abc%2F45678 (YWJjLzQ1Njc4)", ["abc/45678"])
        'Bad key: •••• (••••)'
    """
    for secret in secrets:
        for form in forms_of(secret):
            text = text.replace(form, DOTS)
    return text


def hidden_bytes(data: bytes, secrets: Iterable[str]) -> bytes:
    """Return bytes with dots for secrets; see `hidden`."""
    for secret in secrets:
        for form in forms_of(secret):
            data = data.replace(form.encode(errors="surrogatepass"), DOTS.encode())
    return data


@lru_cache(256)
def forms_of(secret: str) -> tuple[str, ...]:
    """Return a secret as it is, in JSON, in an address, in Base64 and in hexadecimal digits; the longest first.

    In Base64 it may stand within a longer text, as the password in a name and password: then it begins at any of
    three places of a group, and only the digits that it alone makes are looked for.

    Example:
        >>> forms_of("abc/4567")[2:5], "hYmMvNDU2N" in forms_of("abc/4567")
        (('YWJjLzQ1Njc', 'abc%2F4567', 'abc%2f4567'), True)
    """
    raw = secret.encode(errors="surrogatepass")
    quoted = quote(raw, safe="")
    forms = [secret, quoted, _lower_escapes(quoted), raw.hex(), raw.hex().upper(), *_in_json(secret), *_in_base64(raw)]
    return tuple(sorted(dict.fromkeys(forms), key=len, reverse=True))


def _lower_escapes(quoted: str) -> str:
    return re.sub("%..", lambda m: m[0].lower(), quoted)


def _in_json(secret: str) -> list[str]:
    """Return a text as JSON has it, and as JSON within a string of JSON does: the arguments of a tool call."""
    once = [json.dumps(secret, ensure_ascii=is_ascii)[1:-1] for is_ascii in (True, False)]
    once += [form.replace("/", r"\/") for form in once]
    return once + [json.dumps(form, ensure_ascii=False)[1:-1] for form in once]


def _in_base64(raw: bytes) -> list[str]:
    whole = base64.b64encode(raw).decode().rstrip("=")
    # The digits that hold bits of the bytes around it are not its own.
    within = [base64.b64encode(b"\0" * n + raw).decode()[-(-8 * n // 6) : 8 * (n + len(raw)) // 6] for n in range(3)]
    plain = [form for form in (whole, *within) if len(form) >= SHORTEST]
    return plain + [form.replace("+", "-").replace("/", "_") for form in plain]
