"""From a response to batches of events.

One idea: one step for each read of the network, however many events it holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from lumos_nb.errors import ProviderError, StreamError
from lumos_nb.events import ModelEvent
from lumos_nb.providers.failures import shorten
from lumos_nb.providers.wire import Decoder
from lumos_nb.transport import Response

_DRAIN_S = 0.25


async def read_batches(
    response: Response, decoder: Decoder, url: str, *, is_sse: bool = True
) -> AsyncGenerator[list[ModelEvent], None]:
    """Yield what `decoder` makes of each read of a good response.

    Args:
        response: A response with status 200.
        decoder: Reads its body.
        url: Where it came from, for errors.
        is_sse: The format's streams are server-sent events; in a format of lines, JSON is a stream already.

    Raises:
        ProviderError: It is not a stream of events.
        StreamError: It broke off.
    """
    kind = response.headers.get("content-type", "")
    if is_sse and kind.startswith("application/json"):
        # Some servers answer whole although a stream was asked for: one event, then.
        body = b" ".join((await response.read(64_000_000)).splitlines())
        chunks = _pieces(b"data: " + body + b"\n\ndata: [DONE]\n\n")
    elif kind.startswith("text/html"):
        raise ProviderError(
            f"{url} answered with a web page: {shorten((await response.read()).decode(errors='replace'), 80)!r}.",
            hint="Check base_url; the address of an OpenAI-compatible server mostly ends in /v1.",
        )
    else:
        chunks = response.chunks
    async for chunk in chunks:
        batch = decoder.feed(chunk)
        if decoder.is_done:
            # Read to the end before the caller can turn away: only then is the connection kept.
            await _drain(chunks)
        if batch:
            yield batch
        if decoder.is_done:
            break
    if last := decoder.close():
        yield last


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def _drain(chunks: AsyncIterator[bytes]) -> None:
    try:
        async with asyncio.timeout(_DRAIN_S):
            async for _ in chunks:
                pass
    except (TimeoutError, StreamError):
        pass
