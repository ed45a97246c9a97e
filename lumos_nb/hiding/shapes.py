"""What looks like a key, whoever it belongs to.

One idea: a key is long and begins with a plain text, which is looked for first: of fifty megabytes most have none.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from lumos_nb.hiding.forms import DOTS
from lumos_nb.hiding.runs import runs, table_of


class Found(msgspec.Struct, frozen=True, order=True):
    """Where in a text something secret stands, and what it is."""

    start: int
    end: int
    #: In words, without anything of it: an OpenAI key.
    what: str = ""


# `risk-…` is no key, so no letter stands before one; but the `n` of an escaped line end, or a digit of `%20`, is none.
# That is asked behind the plain text, with which a search is quick.
_BEFORE = (r"(?<![\w-]{0})", r"(?<=\\[nrtbf]{0})", r"(?<=\\u[0-9a-fA-F]{{4}}{0})", r"(?<=%[0-9a-fA-F]{{2}}{0})")
# A name of many words has a dash and no figure: `sk-learn-preprocessing`.
_FIGURE = r"(?=[\w-]*\d)"
_STEM = r"[A-Za-z0-9]"

_KEYS = {
    "an OpenAI or Anthropic key": {"sk-": rf"{_FIGURE}[\w-]{{16,}}", "sess-": rf"{_STEM}{{32,}}"},
    "a Google key": {"AIza": r"[\w-]{20,}", "ya29.": r"[\w-]{16,}", "GOCSPX-": r"[\w-]{16,}", "1//0": r"[\w-]{30,}"},
    "an AWS key": {f"A{kind}A": r"[A-Z0-9]{12,}(?![a-z])" for kind in ("KI", "SI", "BI", "CC")},
    "an Azure secret": {"AccountKey=": r"[A-Za-z0-9+/]{40,}={0,2}", "SharedAccessKey=": r"[A-Za-z0-9+/]{40,}={0,2}"},
    "a GitHub token": {**{f"gh{kind}_": r"\w{16,}" for kind in "posur"}, "github_pat_": r"\w{16,}"},
    "a GitLab token": {f"gl{kind}-": rf"{_FIGURE}[\w.-]{{16,}}" for kind in ("pat", "dt", "rt", "cbt", "ptt", "ft")},
    "a Slack token": {"xox": r"[a-z][.-][\w.-]{12,}", "xapp-": r"\d-[\w-]{12,}",
                      "hooks.slack.com/services/": r"T\w+/B\w+/\w{16,}"},
    "a Hugging Face token": {"hf_": rf"{_STEM}{{16,}}", "api_org_": rf"{_STEM}{{16,}}"},
    "a key of a model server": {
        "gsk_": rf"{_STEM}{{16,}}", "gsk-": rf"{_STEM}{{16,}}", "xai-": rf"{_STEM}{{16,}}", "pplx-": rf"{_STEM}{{16,}}",
        "r8_": rf"{_STEM}{{20,}}", "csk-": rf"{_STEM}{{16,}}", "nvapi-": rf"{_FIGURE}[\w-]{{16,}}",
        "fw_": rf"{_STEM}{{16,}}", "fw-": rf"{_STEM}{{16,}}", "tgp_v1_": r"[\w-]{16,}", "bce-v3/": r"[\w./+=-]{8,}",
        "lsv2_": r"[ps][tk]_\w{16,}", "tvly-": rf"{_FIGURE}[\w-]{{16,}}", "pcsk_": r"\w{16,}", "jina_": r"\w{32,}",
    },
    "a Stripe key": {
        **{f"{kind}_{use}_": rf"{_STEM}{{16,}}" for kind in ("sk", "pk", "rk") for use in ("live", "test")},
        "whsec_": r"[\w+/=]{16,}",
    },
    "a token of a package registry": {
        "npm_": rf"{_STEM}{{30,}}", "pypi-AgE": r"[\w-]{16,}", "dckr_pat_": r"[\w-]{16,}",
    },
    "a token of a service": {
        "SG.": r"[\w-]{16,}\.[\w-]{16,}", "dop_v1_": r"\w{32,}", "doo_v1_": r"\w{32,}", "dapi": r"[0-9a-f]{32}",
        "shpat_": r"\w{32}", "shpss_": r"\w{32}", "lin_api_": rf"{_STEM}{{32,}}", "ntn_": rf"{_STEM}{{32,}}",
        "secret_": rf"{_STEM}{{40,}}", "PMAK-": r"[\w-]{32,}", "key-": r"[0-9a-f]{32}", "sntrys_": r"[\w+/=-]{32,}",
        "glsa_": r"\w{32,}", "hvs.": r"[\w-]{24,}", "hvb.": r"[\w-]{24,}", "dp.pt.": rf"{_STEM}{{32,}}",
        "ATATT3x": r"[\w=-]{32,}", "sq0": r"[a-z]{3}-[\w-]{22,}", "AGE-SECRET-KEY-1": r"[A-Z0-9]{40,}",
        "NRAK-": r"[A-Z0-9]{20,}", "pscale_tkn_": r"[\w-]{32,}", "sbp_": r"[0-9a-f]{40}", "sb_secret_": r"[\w-]{20,}",
        "nfp_": rf"{_STEM}{{32,}}",
    },
    "a signed token (JWT)": {"eyJ": r"[\w-]{8,4000}\.[\w-]{8,}(?:\.[\w-]+)?"},
}  # fmt: skip
"""By what they are called: how keys begin, and what follows."""

# Lines of Base64, between line ends that may be escaped, more than once within JSON in JSON.
_LINE_END = r"(?:\s|\\+[nr])+"
_PEM = (
    rf"-----BEGIN [A-Z ]{{0,20}}PRIVATE KEY(?: BLOCK)?-----"
    rf"(?:{_LINE_END}(?:[A-Z][\w-]+: ?[\w,. -]+|[A-Za-z0-9+/=]{{16,}}))+(?:{_LINE_END}[A-Za-z0-9+/=]+)?"
)
_IN_QUOTES = r"""(?:\\*["'])?\s*[:=]\s*(?:\\*["'])?"""
_OTHERS = {
    "a private key": ("-----begin ", _PEM),
    "a bearer token": ("bearer ", r"(?<=bearer )(?:(?=[\w.~+/=-]*\d)[\w.~+/=-]{8,}|[\w.~+/=-]{24,})"),
    "a cookie": ("cookie", rf"cookie{_IN_QUOTES}([\w.-]+=[^\s\"'\\]{{4,}}(?:;\s?[\w.-]+=[^\s\"'\\]+)*)"),
    "a password in an address": ("://", r"://[^/?#\s:@\"'\\]*:([^/?#\s@\"'\\]{3,})@"),
    "a key named as one": (
        "key", rf"(?:api[_-]?|access[_-]?|secret[_-]?|account[_-]?)key{_IN_QUOTES}(?=[^\s\"'\\]*\d)([\w.~+/=-]{{16,}})"
    ),
    "a password": (
        "authorization", rf"authorization{_IN_QUOTES}(?:basic|token|apikey|digest)\s+([\w.~+/=-]{{8,}})"
    ),
}  # fmt: skip
"""What else is secret: a text that stands in all of them, in lower case; the shape, group 1 what is secret of it."""


def _compiled(start: str, rest: str) -> re.Pattern[str]:
    start = re.escape(start)
    return re.compile(f"{start}(?:{'|'.join(_BEFORE).format(start)}){rest}", re.ASCII)


@lru_cache(1)
def _compiled_keys() -> list[tuple[str, re.Pattern[str], str]]:
    # On use: eighty of them take as long as much of an import.
    return [(start, _compiled(start, rest), what) for what, keys in _KEYS.items() for start, rest in keys.items()]


@lru_cache(1)
def _compiled_others() -> list[tuple[str, re.Pattern[str], str]]:
    return [(start, re.compile(shape, re.ASCII | re.I), what) for what, (start, shape) in _OTHERS.items()]


SHORTEST_KEY = 16
"""Characters of the shortest key that has a shape."""
_LETTERS = table_of(string.ascii_letters + string.digits + "-_./+=")

# Also as its bytes are read (Latin-1).
_DOT = DOTS[0] + DOTS[0].encode().decode("latin-1")


def without_shapes(text: str) -> str:
    """Return a text with dots for what looks like a key.

    Example:
        >>> without_shapes("my key is sk-proj-0123456789abcdef0, sorted by pk_orders")
        'my key is ••••, sorted by pk_orders'
    """
    return replaced(text, find_shapes(text))


def find_shapes(text: str) -> Iterator[Found]:
    """Yield where in a text something looks like a key.

    Example:
        >>> [(each.start, each.what) for each in find_shapes("my key: sk-proj-0123456789abcdef0")]
        [(8, 'an OpenAI or Anthropic key')]
    """
    long = "\0".join(text[first:end] for first, end in runs(text, _LETTERS, SHORTEST_KEY))
    for start, shape, what in _compiled_keys():
        if start in long:
            yield from (Found(*match.span(), what) for match in shape.finditer(text))
    lowered = text.lower()
    for start, shape, what in _compiled_others():
        if start in lowered:
            places = (match.span(shape.groups) for match in shape.finditer(text))
            # What is hidden already is found no second time.
            yield from (Found(first, end, what) for first, end in places if text[first:end].strip(_DOT))


def replaced(text: str, found: Iterator[Found] | list[Found], by: str = DOTS) -> str:
    """Return a text with dots in the places that were found; places that overlap become one.

    Example:
        >>> replaced("one two three", [Found(4, 6), Found(5, 7)])
        'one •••• three'
    """
    parts, at = [], 0
    for each in merged(found):
        parts += [text[at : each.start], by]
        at = each.end
    return "".join([*parts, text[at:]]) if parts else text


def merged(found: Iterator[Found] | list[Found]) -> list[Found]:
    """Return places in their order, those that overlap as one."""
    out: list[Found] = []
    for each in sorted(found):
        if out and each.start < out[-1].end:
            out[-1] = Found(out[-1].start, max(out[-1].end, each.end), out[-1].what)
        else:
            out.append(each)
    return out
