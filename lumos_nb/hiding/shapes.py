"""What looks like a key, whoever it belongs to.

One idea: a shape begins with a plain text, which is looked for first: of fifty megabytes most have none of them.
"""

from __future__ import annotations

import re

from lumos_nb.hiding.forms import DOTS

_SHAPES = {
    **{f"{vendor}{line}": r"[\w-]{16,}"
       for vendor in ("sk", "pk", "rk", "gsk", "xai", "hf", "tgp", "nvapi", "fw") for line in "-_"},
    **{f"{kind}_": r"\w{16,}" for kind in ("ghp", "gho", "ghs", "ghu", "github_pat")},
    "glpat-": r"[\w-]{16,}", "xox": r"[a-z]-[\w-]{8,}", "AIza": r"[\w-]{20,}", "AKIA": r"[A-Z0-9]{12,}",
    "ASIA": r"[A-Z0-9]{12,}", "eyJ": r"[\w-]{8,2000}\.[\w-]{8,}(?:\.[\w-]+)?", "bce-v3/": r"\S{8,}",
}  # fmt: skip
# `risk-…` is no key. That is asked behind the plain text, with which a search is quick.
_COMPILED = {start: re.compile(rf"{start}(?<![\w-]{start}){rest}") for start, rest in _SHAPES.items()}
_PEM = re.compile(r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----(?:(?!-----END)[\s\S]){0,4000}")
_BEARER = re.compile(r"(?<=earer )[\w.~+/=-]{8,}")


def without_shapes(text: str) -> str:
    """Return a text with dots for what looks like a key.

    Example:
        >>> without_shapes("my key is sk-proj-0123456789abcdef0, sorted by pk_orders")
        'my key is ••••, sorted by pk_orders'
    """
    for start, shape in [*_COMPILED.items(), ("-----BEGIN ", _PEM), ("earer ", _BEARER)]:
        if start in text:
            text = shape.sub(DOTS, text)
    return text
