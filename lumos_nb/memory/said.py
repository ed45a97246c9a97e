"""What was said in a run, and when."""

from __future__ import annotations

import msgspec

from lumos_nb.messages import Message


class Said(msgspec.Struct, frozen=True):
    """A message, in which step it was said, if in one, and at which Unix time in seconds."""

    message: Message
    step: int | None
    at: float
