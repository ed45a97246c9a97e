"""Changing a text that came in pieces, where its pieces stay as they are elsewhere.

One idea: places are found in the whole, and each is cut out of the pieces that it lies in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from lumos_nb.hiding.shapes import Found

# The home folder of whoever it is, so that a tape is the same on each machine; `https://host/home/news` is none.
_BEFORE = r"(?:(?<![\w.~%-])|(?<=\\[nrt])|(?<=%2[0F]))"
_NAME = r"[\w-]+(?:\.[\w-]+)*"
_HOMES = (rf"/(?:home|Users)/{_NAME}", r"/root(?=/)", rf"[A-Za-z]:(?:\\+|/)Users(?:\\+|/){_NAME}")


def edited(parts: Sequence[bytes], places: Sequence[Found], by: bytes | Sequence[bytes]) -> list[bytes]:
    """Return pieces of a text with other bytes in some places, which are in order and do not overlap.

    The other bytes are the same for all places, or given for each.

    A place that lies in several pieces is replaced in the first of them.

    Example:
        >>> edited([b"one t", b"wo thr", b"ee"], [Found(4, 7)], b"2")
        [b'one 2', b' thr', b'ee']
    """
    news = [by] * len(places) if isinstance(by, bytes) else list(by)
    out, start, rest = [], 0, list(reversed(places))
    for part in parts:
        end, at, pieces = start + len(part), start, []
        while rest and rest[-1].start < end:
            place = rest[-1]
            pieces.append(part[at - start : max(place.start - start, 0)])
            if place.start >= start:
                pieces.append(news[len(places) - len(rest)])
            at = min(place.end, end)
            if place.end > end:
                break
            rest.pop()
        out.append(b"".join([*pieces, part[at - start :]]))
        start = end
    return out


def find_homes(text: str) -> list[Found]:
    """Return where in a text (Latin-1) somebody's home folder stands: its name is nobody else's business.

    Example:
        >>> [(each.start, each.end) for each in find_homes("in /home/ada/data, at https://host/home/news")]
        [(3, 12)]
    """
    if "/" not in text and "\\" not in text:
        return []
    return [Found(*match.span(), "a home folder") for match in _homes().finditer(text)]


def with_home(text: str) -> str:
    """Return JSON with the home folder of this machine's person where a path begins with `~`, or with another's.

    Another's stands where a model said it in pieces, over several events.

    Example:
        >>> with_home('{"path": "~/data.csv", "n": "~5"}') == f'{{"path": "{Path.home()}/data.csv", "n": "~5"}}'
        True
    """
    data = text.encode(errors="surrogatepass")
    text = edited([data], find_homes(data.decode("latin-1")), b"~")[0].decode(errors="surrogatepass")
    home = json.dumps(str(Path("~").expanduser()))[1:-1]
    return re.sub(rf"""{_BEFORE}~(?=/|\\\\|(?<="~)")""", lambda _: home, text, flags=re.ASCII)


@lru_cache(1)
def _homes() -> re.Pattern[str]:
    homes = list(_HOMES)
    own = str(Path("~").expanduser())
    if len(own) > len("/root"):
        homes.insert(0, re.escape(own.encode(errors="surrogateescape").decode("latin-1")) + r"(?![\w-])")
    return re.compile(rf"{_BEFORE}(?:{'|'.join(homes)})", re.ASCII)
