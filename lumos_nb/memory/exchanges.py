"""What went over the wire: each request to a model and each answer, byte for byte, without secrets.

One idea: a conversation is sent again and again, a little longer each time, so a request is kept as
what is new in it.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection
from typing import Any

import msgspec

from lumos_nb.hiding.forms import hidden, hidden_bytes
from lumos_nb.hiding.headers import safe_headers
from lumos_nb.hiding.sent import secrets_in
from lumos_nb.memory._rows import nanoseconds, to_json
from lumos_nb.messages import valid_text
from lumos_nb.providers.exchange import Exchange
from lumos_nb.stores import Insert, Store
from lumos_nb.stores.base import Condition
from lumos_nb.stores.reading import read_rows

COMPRESS_FROM_BYTES = 4_096
_RAW, _ZLIB = b"\0", b"\1"


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


class ExchangeRows:
    """Makes the rows of a run's exchanges, one after the other.

    Args:
        run_id: The run.
        last: Number of the last exchange that is kept already, if the run is taken up again.
    """

    def __init__(self, run_id: str, last: int = 0) -> None:
        self._run_id = run_id
        self._n = last
        self._body = b""

    def write(self, exchange: Exchange, step: int | None) -> Insert:
        """Return the write that keeps an exchange."""
        request, response = exchange.request, exchange.response
        secrets = secrets_in(request, exchange.key)
        body, answer = hidden_bytes(request.body, secrets), hidden_bytes(b"".join(exchange.chunks), secrets)
        headers = safe_headers(response.headers if response else {})
        base = self._base(body)
        self._n, self._body = self._n + 1, body
        row = {
            "started_at": nanoseconds(exchange.started_at), "step": step, "n": self._n, "method": request.method,
            "url": valid_text(exchange.url), "status": exchange.status,
            "http_status": None if response is None else response.status,
            "duration_s": exchange.duration_s, "first_byte_s": exchange.first_byte_s,
            "request_bytes": len(body), "response_bytes": len(answer), "error_type": exchange.error_type,
            "base_n": base and self._n - 1, "base_prefix": base and base[0], "base_suffix": base and base[1],
            "run_id": self._run_id,
            "request_headers_json": to_json(safe_headers(request.headers)),
            "response_headers_json": to_json({name: hidden(value, secrets) for name, value in headers.items()}),
            "request_body": _packed(body[base[0] : len(body) - base[1]] if base else body),
            "response_body": _packed(answer),
        }  # fmt: skip
        return Insert("exchanges", row)

    def _base(self, body: bytes) -> tuple[int, int] | None:
        """Return how much of the request before this one begins and ends with, if that is most of it."""
        before = self._body
        prefix = _common(before, body)
        room = min(len(before), len(body)) - prefix
        suffix = _common(before[::-1][:room], body[::-1][:room])
        return (prefix, suffix) if prefix + suffix > len(body) // 4 else None


def is_large(exchange: Exchange) -> bool:
    """Return whether an exchange is worth compressing."""
    return len(exchange.request.body) >= COMPRESS_FROM_BYTES or sum(map(len, exchange.chunks)) >= COMPRESS_FROM_BYTES


def _common(a: bytes, b: bytes) -> int:
    """Return how many bytes two texts have in common at their beginning.

    Example:
        >>> _common(b"one two", b"one too")
        5
    """
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _packed(body: bytes) -> bytes:
    return _RAW + body if len(body) < COMPRESS_FROM_BYTES else _ZLIB + zlib.compress(body, 1)


def _unpacked(body: bytes | None) -> bytes:
    if not body:
        return b""
    return zlib.decompress(body[1:]) if body[:1] == _ZLIB else body[1:]


_COLUMNS = (
    "n", "step", "started_at", "method", "url", "status", "http_status", "duration_s", "first_byte_s", "error_type",
    "request_headers_json", "response_headers_json", "request_body", "response_body", "base_n", "base_prefix",
    "base_suffix",
)  # fmt: skip


def read_exchanges(store: Store, run_id: str, step: int | Collection[int | None] | None = None) -> list[SavedExchange]:
    """Return the exchanges of a run, or of one or some steps of it, in their order; none of a run that kept none.

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> read_exchanges(open_store(tempfile.mkdtemp() + "/lumos.db"), "no such run")
        []
    """
    where: list[Condition] = [("run_id", "=", run_id)]
    wanted = {step} if isinstance(step, int) else step
    found: list[SavedExchange] = []
    before = (0, b"")
    for row in read_rows(store, "exchanges", _COLUMNS, where=where, order=["n"]):
        # A body is a change of the one before: no other has to be held, which for a long run would be all of them.
        before = (row["n"], _whole(row, before))
        if wanted is None or row["step"] in wanted:
            found.append(_saved(row, before[1]))
    return found


def _whole(row: dict[str, Any], before: tuple[int, bytes]) -> bytes:
    new = _unpacked(row["request_body"])
    if row["base_n"] is None:
        return new
    base = before[1] if before[0] == row["base_n"] else b""
    return base[: row["base_prefix"]] + new + base[len(base) - row["base_suffix"] :]


def _saved(row: dict[str, Any], body: bytes) -> SavedExchange:
    same = ("n", "step", "started_at", "method", "url", "status", "http_status", "duration_s", "first_byte_s",
            "error_type")  # fmt: skip
    return SavedExchange(
        **{name: row[name] for name in same},
        request_headers=msgspec.json.decode(row["request_headers_json"] or "{}"), request_body=body,
        response_headers=msgspec.json.decode(row["response_headers_json"] or "{}"),
        response_body=_unpacked(row["response_body"]),
    )  # fmt: skip
