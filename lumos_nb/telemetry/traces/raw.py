"""What a model was sent and what it answered, as it was on the wire, to be read.

One idea: `body` is exact but for keys; `text` is the same for reading, JSON in lines. A repr is
bounded and says of how much it is the beginning.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lumos_nb.errors import UsageError
from lumos_nb.hiding.headers import masked_headers
from lumos_nb.hiding.known import masked_bytes, masked_url
from lumos_nb.memory.exchanges import SavedExchange
from lumos_nb.messages import from_json
from lumos_nb.phrases import size
from lumos_nb.telemetry.wording import body_text, seconds, visible

_REPR_CHARS = 20_000


class RawRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request to a model, without keys."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body to read: JSON in lines, anything else as it is."""
        return body_text(self.body)

    def json(self) -> Any:
        """Return the body as a value.

        Raises:
            UsageError: It is not JSON.
        """
        return _json(self.body)

    def __repr__(self) -> str:
        return _shown(f"{self.method} {self.url}", self.headers, self.text)


class RawResponse(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of a model server, as it arrived."""

    #: ok, refused, broken or cancelled.
    status: str
    #: None where there was no answer.
    http_status: int | None
    headers: dict[str, str]
    #: All that arrived; of a stream every event.
    body: bytes
    duration_s: float | None = None
    #: Request sent to first byte of the body.
    first_byte_s: float | None = None
    error_type: str | None = None

    @property
    def text(self) -> str:
        """The body to read: JSON in lines, a stream as it came."""
        return body_text(self.body)

    def json(self) -> Any:
        """Return the body as a value.

        Raises:
            UsageError: It is not JSON: most answers are streams.
        """
        return _json(self.body)

    def __repr__(self) -> str:
        head = [f"HTTP {self.http_status}" if self.http_status else "no answer", self.status, self.error_type or ""]
        head.append(seconds(self.duration_s))
        return _shown(" · ".join(part for part in head if part), self.headers, self.text)


def request_of(saved: SavedExchange) -> RawRequest:
    """Return what was sent, without keys."""
    return RawRequest(
        method=saved.method, url=masked_url(saved.url), headers=masked_headers(saved.request_headers),
        body=masked_bytes(saved.request_body),
    )  # fmt: skip


def response_of(saved: SavedExchange) -> RawResponse:
    """Return what arrived, without keys."""
    return RawResponse(
        status=saved.status, http_status=saved.http_status, headers=masked_headers(saved.response_headers),
        body=masked_bytes(saved.response_body), duration_s=saved.duration_s, first_byte_s=saved.first_byte_s,
        error_type=saved.error_type,
    )  # fmt: skip


def _json(body: bytes) -> Any:
    try:
        return from_json(body.decode())
    except (ValueError, RecursionError):
        raise UsageError("The body is not JSON.", hint="Read .text, or .body for its bytes.") from None


def _shown(head: str, headers: dict[str, str], text: str) -> str:
    lines = [head, *(f"{name}: {value}" for name, value in headers.items()), "", text[:_REPR_CHARS]]
    if len(text) > _REPR_CHARS:
        lines.append(f"… {_REPR_CHARS:,} of {len(text):,} characters ({size(len(text.encode()))}); all of it: .text")
    return visible("\n".join(lines))
