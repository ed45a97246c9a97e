"""What differs between two runs and says nothing: addresses in memory, ids, temporary files."""

from __future__ import annotations

import re

_MASKS = (
    (re.compile(r"\b0x[0-9a-fA-F]{6,16}\b"), "0x…"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "ID"),
    (re.compile(r"(?:/private)?(?:/var/folders/\w+/\w+/T|/tmp)/[\w./-]+"), "TEMPORARY"),
)


def masked_text(text: str) -> str:
    """Return a text without what is another each time.

    Example:
        >>> masked_text("<Figure at 0x7f12ab34cd56>")
        '<Figure at 0x…>'
    """
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text
