"""What went over the wire: each request to a model and each answer, byte for byte, without secrets.

One idea: a conversation is sent again and again, a little longer each time, so a request is kept as
what is new in it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lumos_nb.stores import Store


class SavedExchange(msgspec.Struct, frozen=True, kw_only=True):
    """One request and its answer, as they were on the wire."""

    #: Order within the run, from 1. A step that was tried again has several.
    n: int
    step: int | None
    #: Nanoseconds since 1970, UTC.
    started_at: int
    method: str
    #: Without keys.
    url: str
    #: ok, refused, broken or cancelled.
    status: str
    #: None where there was no answer.
    http_status: int | None
    duration_s: float | None
    #: Request sent to first byte of the answer's body.
    first_byte_s: float | None
    error_type: str | None
    #: Those that hold no secret.
    request_headers: dict[str, str]
    request_body: bytes
    #: Those that hold no secret.
    response_headers: dict[str, str]
    response_body: bytes


def read_exchanges(store: Store, run_id: str, step: int | None = None) -> list[SavedExchange]:
    """Return the exchanges of a run, or of one step of it, in their order; none of a run that kept none."""
    raise NotImplementedError


def read_config(store: Store, config_hash: str | None) -> dict[str, Any] | None:
    """Return what an agent was in a run, or None where that was not kept.

    `{"instructions": str, "tools": [{"name", "description", "parameters"}], "options": {…}, "max_steps": int}`
    """
    raise NotImplementedError
