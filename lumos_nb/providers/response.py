"""From a response to batches of events.

One idea: one step for each read of the network, however many events it holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from lumos_nb.errors import ProviderError, StreamError
from lumos_nb.events import ModelEvent
from lumos_nb.providers.exchange import Keep
from lumos_nb.providers.failures import from_stream, read_refusal, shorten
from lumos_nb.providers.wire import Decoder
from lumos_nb.transport import Response

_DRAIN_S = 0.25
_LONGEST_REFUSAL = 10_000


async def read_batches(
    response: Response,
    decoder: Decoder,
    url: str,
    *,
    is_sse: bool = True,
    keep: Keep | None = None,
) -> AsyncGenerator[list[ModelEvent], None]:
    """Yield what `decoder` makes of each read of a good response.

    Args:
        response: A response with status 200.
        decoder: Reads its body.
        url: Where it came from, for errors.
        is_sse: The format's streams are server-sent events; in a format of lines, JSON is a stream already.
        keep: Is given each piece of the body as it arrived.

    Raises:
        ProviderError: It is not a stream of events.
        StreamError: It broke off.
    """
    kind = response.headers.get("content-type", "")
    if is_sse and kind.startswith("application/json"):
        body = await response.read(64_000_000)
        if keep is not None:
            keep(body)
        yield _whole(body, decoder, url)
        return
    if kind.startswith("text/html"):
        raise ProviderError(
            f"{url} answered with a web page: {shorten((await response.read()).decode(errors='replace'), 80)!r}.",
            hint="Check base_url; the address of an OpenAI-compatible server mostly ends in /v1.",
        )
    chunks = response.chunks
    is_json, told = kind.startswith("application/json"), b""  # perhaps no answer at all
    async for chunk in chunks:
        if keep is not None:
            keep(chunk)
        batch = decoder.feed(chunk)
        if batch:
            is_json, told = False, b""
        elif is_json and len(told) < _LONGEST_REFUSAL:
            told += chunk
        if decoder.is_done:
            # Read to the end before the caller can turn away: only then is the connection kept.
            await _drain(response)
        if batch:
            yield batch
        if decoder.is_done:
            break
    if last := _closed(decoder, told, url):
        yield last


def _whole(body: bytes, decoder: Decoder, url: str) -> list[ModelEvent]:
    """Return the events of a server that answers whole although a stream was asked for: one event, then."""
    events = decoder.feed(b"data: " + b" ".join(body.splitlines()) + b"\n\ndata: [DONE]\n\n")
    return events + _closed(decoder, body, url)


def _closed(decoder: Decoder, told: bytes, url: str) -> list[ModelEvent]:
    """Return the last events; where JSON came and no answer, say what it says."""
    try:
        return decoder.close()
    except StreamError:
        if not told:
            raise
    # A page of a proxy or of a network that wants a login is no word of a model server.
    if told.lstrip()[:1] in {b"{", b"["} and str(read_refusal(told)):
        raise from_stream(told)
    raise ProviderError(
        f"{url} sent no answer, but {shorten(told.decode(errors='replace'))!r}.",
        hint="Check that base_url is the address of a model server, and that the format is right.",
    )


async def _drain(response: Response) -> None:
    if response.has_ended():
        return
    try:
        async with asyncio.timeout(_DRAIN_S):
            async for _ in response.chunks:
                pass
    except (TimeoutError, StreamError):
        pass
