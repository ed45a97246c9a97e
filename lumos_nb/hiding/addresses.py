"""Addresses without what is secret in them.

One idea: user, password and the values of a query may all be secret, so an address is shown without them.
"""

from __future__ import annotations

import re

from lumos_nb.hiding.forms import DOTS

_SECRET_QUERY = re.compile(
    r"(?<=[?&;])((?:[\w-]*(?:key|token|secret|sig|signature|password|credential)[\w-]*)=)[^&;#]+", re.I
)
_USER = re.compile(r"(?<=://)[^/?#\s@]*@")


def without_secrets(url: str) -> str:
    """Return an address without what may be secret in it: name and password, and the values of its query.

    Example:
        >>> without_secrets("http://ada:secret@host/v1?key=k&alt=sse")
        'http://host/v1?…'
    """
    path, query, _ = without_userinfo(url).partition("?")
    return f"{path}{'?…' if query else ''}"


def without_userinfo(url: str) -> str:
    """Return an address without the name and password that may stand in it.

    Example:
        >>> without_userinfo("http://ada:secret@host/v1?a=b")
        'http://host/v1?a=b'
    """
    scheme, slashes, rest = url.partition("://")
    end = min((n for n in map(rest.find, "/?#") if n >= 0), default=len(rest))
    return f"{scheme}{slashes}{rest[:end].rpartition('@')[2]}{rest[end:]}"


def without_keys(url: str) -> str:
    """Return an address without user and password, dots for the keys of its query, and the rest of the query.

    Example:
        >>> without_keys("https://ada:pw@host/v1?alt=sse&key=abc")
        'https://host/v1?alt=sse&key=••••'
    """
    return _SECRET_QUERY.sub(rf"\1{DOTS}", _USER.sub("", url))
