"""A transport that plays from a tape, or records on one what another transport carries."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

from lumos_nb import clock
from lumos_nb.errors import LumosError, ProviderError
from lumos_nb.tapes.deck import Deck
from lumos_nb.tapes.format import ChunkLine, EndLine, ErrorValue, Interaction, ResponseLine
from lumos_nb.tapes.scenes import scene
from lumos_nb.tapes.scrub import answer_headers, request_line
from lumos_nb.transport.base import Request, Response, Transport


class TapeTransport:
    """A deck over a transport."""

    def __init__(self, deck: Deck, over: Transport) -> None:
        self.deck, self._over = deck, over

    def open(self, request: Request) -> AbstractAsyncContextManager[Response]:
        """Play the answer to `request`, or send it and record the answer; see `Transport.open`."""
        return self._played(request) if self.deck.is_replaying else self._recorded(request)

    async def aclose(self) -> None:
        """Close what is below."""
        await self._over.aclose()

    @asynccontextmanager
    async def _played(self, request: Request) -> AsyncIterator[Response]:
        here = scene()
        interaction = self.deck.find(request_line(request, -1, here), here)
        async with self.deck.player.play(interaction, self.deck.name, self.deck.again) as response:
            yield response

    @asynccontextmanager
    async def _recorded(self, request: Request) -> AsyncIterator[Response]:
        i, began = self.deck.next_number(), clock.perf_counter()
        line = request_line(request, i, scene())
        head: ResponseLine | None = None
        chunks: list[ChunkLine] = []
        how, failure = "closed", None

        def since() -> float:
            return round(clock.perf_counter() - began, 6)

        async def noted(response: Response) -> AsyncGenerator[bytes, None]:
            nonlocal how, failure
            try:
                async for chunk in response.chunks:
                    chunks.append(_chunk(i, since(), chunk))
                    yield chunk
                how = "complete"
            except LumosError as error:
                how, failure = "broken", _error(error)
                raise

        try:
            async with self._over.open(request) as response:
                head = ResponseLine(i=i, t=since(), status=response.status, headers=answer_headers(response.headers))
                async with aclosing(noted(response)) as pieces:
                    yield Response(
                        status=response.status, headers=response.headers, chunks=pieces, has_ended=response.has_ended
                    )
        except ProviderError as error:
            if head is None:
                how, failure = "unreachable", _error(error)
            raise
        except asyncio.CancelledError:
            how = "cancelled"
            raise
        finally:
            end = EndLine(i=i, t=since(), how=how, error=failure)
            self.deck.add(Interaction(request=line, response=head, chunks=chunks, end=end))


def _chunk(i: int, t: float, data: bytes) -> ChunkLine:
    try:
        return ChunkLine(i=i, t=t, text=data.decode())
    except UnicodeDecodeError:
        return ChunkLine(i=i, t=t, base64=base64.b64encode(data).decode())


def _error(error: LumosError) -> ErrorValue:
    return ErrorValue(
        type=type(error).__name__, message=error.message, hint=error.hint, status=getattr(error, "status", None),
        retry_after_s=getattr(error, "retry_after_s", None), is_temporary=getattr(error, "is_temporary", False),
    )  # fmt: skip
