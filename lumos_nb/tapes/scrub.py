"""What does not get onto a tape: keys, cookies, tokens, whatever their form.

One idea: what is kept is listed; everything else is left out.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

import msgspec

from lumos_nb.tapes.canonical import MATCHED_HEADERS
from lumos_nb.tapes.format import RequestLine
from lumos_nb.tapes.scenes import Scene
from lumos_nb.transport.base import Request

KEPT_ANSWERED = frozenset({"content-type", "retry-after", "retry-after-ms"})
"""Headers of answers that are on a tape: those that mean something to who reads the answer."""


def request_line(request: Request, i: int, scene: Scene, attempt: int = 1) -> RequestLine:
    """Return a request as it may stand on a tape; what is looked up there goes through this, too."""
    body, body64 = msgspec.Raw(b""), ""
    try:
        msgspec.json.decode(request.body)
        body = msgspec.Raw(request.body)
    except msgspec.MsgspecError:
        body64 = base64.b64encode(request.body).decode()
    return RequestLine(
        i=i, cell=scene.cell, source=scene.source, attempt=attempt, method=request.method, url=request.url,
        headers=_kept(request.headers, MATCHED_HEADERS), body=body, body64=body64,
    )  # fmt: skip


def answer_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of an answer that may stand on a tape."""
    return _kept(headers, KEPT_ANSWERED)


def _kept(headers: Mapping[str, str], names: frozenset[str]) -> dict[str, str]:
    return {name.lower(): value for name, value in sorted(headers.items()) if name.lower() in names}
