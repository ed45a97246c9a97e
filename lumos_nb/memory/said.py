"""When a message of a run was said."""

from __future__ import annotations

import msgspec


class Said(msgspec.Struct, frozen=True):
    """When a message was said: in which step, if in one, and at which Unix time in seconds."""

    step: int | None
    at: float
