"""Keys within Base64, hexadecimal digits and the escapes of addresses, found by their shape.

One idea: whatever may be encoded is decoded, searched as any text, and the place taken back to the digits it came from.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator
from string import ascii_letters, digits, hexdigits

from lumos_nb.hiding.runs import runs, table_of
from lumos_nb.hiding.shapes import Found, find_shapes

# Shorter ones hold no key. A picture is one run.
_BASE64, _SHORTEST_BASE64 = table_of(f"{ascii_letters}{digits}+/-_"), 24
_HEX, _SHORTEST_HEX = table_of(hexdigits), 32
_QUOTED = re.compile(r"[\w.~+/=:@&?-]*%(?:[\w.~+/=:@&?%-]){16,}", re.ASCII)
_ESCAPE = re.compile(r"%([0-9a-fA-F]{2})")
# Bytes that are no text have no twenty letters in a row; most of what is in Base64 is a picture.
_LETTERS = b"a" * 20
_LETTERS_ONLY = bytes(ord("a") if 33 <= byte < 127 else 0 for byte in range(256))
_TO_STANDARD = str.maketrans("-_", "+/")


def find_encoded(text: str) -> Iterator[Found]:
    """Yield where in a text something stands that looks like a key once it is decoded.

    Example:
        >>> import base64
        >>> text = "auth: " + base64.b64encode(b"ada:sk-proj-0123456789abcdef0").decode()
        >>> [(each.start, each.end, each.what) for each in find_encoded(text)]
        [(11, 45, 'an OpenAI or Anthropic key')]
    """
    for start, end in runs(text, _BASE64, _SHORTEST_BASE64):
        yield from _in_base64(text[start:end], start)
    for start, end in runs(text, _HEX, _SHORTEST_HEX):
        for first in (start, start + 1):
            plain = bytes.fromhex(text[first : first + (end - first) // 2 * 2])
            yield from _found(plain, first, lambda at: 2 * at, lambda at: 2 * at)
    if "%" in text:
        for run in _QUOTED.finditer(text):
            yield from _in_quoted(run[0], run.start())


def _in_base64(run: str, start: int) -> Iterator[Found]:
    """Yield what is found, wherever a group of four digits begins: letters may stand before the encoded text."""
    standard = run.translate(_TO_STANDARD)
    for shift in range(4):
        part = standard[shift : shift + (len(standard) - shift) // 4 * 4]
        rest = standard[shift + len(part) :]
        # The last group may be short: two or three digits hold a byte or two.
        padded = part + (rest + "=" * (4 - len(rest)) if len(rest) > 1 else "")
        plain = binascii.a2b_base64(padded)
        yield from _found(plain, start + shift, lambda at: at * 8 // 6, lambda at: -(-at * 8 // 6))


def _in_quoted(run: str, start: int) -> Iterator[Found]:
    places, plain, at = [], [], 0
    while at < len(run):
        escape = _ESCAPE.match(run, at)
        places.append(at)
        plain.append(int(escape[1], 16) if escape else ord(run[at]))
        at += 3 if escape else 1
    places.append(at)
    yield from _found(bytes(plain), start, places.__getitem__, places.__getitem__)


def _found(plain: bytes, start: int, first: Callable[[int], int], end: Callable[[int], int]) -> Iterator[Found]:
    if _LETTERS not in plain.translate(_LETTERS_ONLY):
        return
    for each in find_shapes(plain.decode("latin-1")):
        yield Found(start + first(each.start), start + end(each.end), each.what)
