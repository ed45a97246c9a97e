"""A transport that plays from a tape, or records on one what another transport carries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress

import msgspec

from lumos_nb import clock
from lumos_nb.errors import ProviderError, TapeError
from lumos_nb.hiding.addresses import without_keys
from lumos_nb.tapes.canonical import MATCHED_HEADERS
from lumos_nb.tapes.deck import Deck, Reads
from lumos_nb.tapes.format import ChunkLine, EndLine, ErrorValue, Interaction, RequestLine, ResponseLine
from lumos_nb.tapes.scenes import Scene, scene
from lumos_nb.tapes.scrub import answer_headers, request_line, scrubbed
from lumos_nb.tapes.verifying import note_drift
from lumos_nb.transport.base import Request, Response, Transport


class TapeTransport:
    """A deck over a transport."""

    def __init__(self, deck: Deck, over: Transport, reads: Reads | None = None) -> None:
        self.deck, self._over, self._reads = deck, over, reads

    def open(self, request: Request) -> AbstractAsyncContextManager[Response]:
        """Play the answer to `request`, or send it and record the answer; see `Transport.open`.

        Raises:
            TapeMiss: It is not on the tape, and nothing is sent.
        """
        here = scene()
        way = self.deck.way_of(here)
        if way == "off":
            return self._over.open(request)
        if way == "record":
            return self._recorded(request, here)
        line = _as_sent(request, here)
        if not self.deck.knows(line):  # else nothing in it is to be hidden, and looking for that takes its time
            line = request_line(request, -1, here, request.attempt)
        if way == "replay":
            return self._played(self.deck.find(line, here))
        found = self.deck.find_any(line, here)
        if way == "refresh":
            return self._recorded(request, here) if found is None else self._played(found)
        return self._verified(request, line, found)

    async def aclose(self) -> None:
        """Close what is below."""
        await self._over.aclose()

    def _played(self, interaction: Interaction) -> AbstractAsyncContextManager[Response]:
        return self.deck.player.play(interaction, self.deck.name, self.deck.again)

    @asynccontextmanager
    async def _verified(
        self, request: Request, line: RequestLine, found: Interaction | None
    ) -> AsyncIterator[Response]:
        await note_drift(self.deck.drifts, self._over, request, line, found, self._reads)
        if found is not None:
            async with self._played(found) as response:
                yield response
        else:
            async with self._over.open(request) as response:
                yield response

    @asynccontextmanager
    async def _recorded(self, request: Request, here: Scene) -> AsyncIterator[Response]:
        taking = _Taking(self.deck.next_number(), request, here)
        try:
            async with self._over.open(request) as response:
                taking.begin(response)
                async with aclosing(taking.noted(response)) as chunks:
                    yield Response(
                        status=response.status, headers=response.headers, chunks=chunks, has_ended=response.has_ended
                    )
                    if response.has_ended() and taking.how == "closed":
                        taking.how = "complete"
        except BaseException as error:
            taking.fail(error)
            if taking.is_kept:
                # What ended it is said, not that it could not be kept: the deck says that to who asks next.
                with suppress(TapeError):
                    self.deck.add(taking.whole(), here)
            raise
        self.deck.add(taking.whole(), here)


class _Taking:
    """An interaction while it is recorded."""

    def __init__(self, i: int, request: Request, here: Scene) -> None:
        self.i, self._request, self._began = i, request, clock.perf_counter()
        self._line = request_line(request, i, here, request.attempt)
        self.head: ResponseLine | None = None
        self._chunks: list[ChunkLine] = []
        self.how = "closed"
        self._error: ErrorValue | None = None

    def begin(self, response: Response) -> None:
        """Take the beginning of the answer."""
        self.head = ResponseLine(
            i=self.i, t=self._since(), status=response.status, headers=answer_headers(response.headers)
        )

    async def noted(self, response: Response) -> AsyncGenerator[bytes, None]:
        """Yield the body as it arrives, and take it."""
        try:
            async for chunk in response.chunks:
                self._chunks.append(ChunkLine.of(self.i, self._since(), chunk))
                yield chunk
            self.how = "complete"
        except ProviderError as error:
            self.how, self._error = "broken", _error_value(error)
            raise

    @property
    def is_kept(self) -> bool:
        """Whether it says something about the server; a proxy or a certificate of this machine does not."""
        return self.head is not None or self.how != "closed"

    def fail(self, error: BaseException) -> None:
        """Take the error with which it ended, unless that is one that was made of a whole answer."""
        if isinstance(error, asyncio.CancelledError):
            self.how = "cancelled"
        elif isinstance(error, ProviderError) and self.head is None:
            self.how, self._error = "unreachable", _error_value(error)

    def whole(self) -> Interaction:
        """Return what was recorded, without what is secret.

        Raises:
            SecretOnTape: A secret would be left in it.
        """
        end = EndLine(i=self.i, t=self._since(), how=self.how, error=self._error)
        done = Interaction(request=self._line, response=self.head, chunks=self._chunks, end=end)
        return scrubbed(done, self._request)

    def _since(self) -> float:
        return round(clock.perf_counter() - self._began, 6)


def _as_sent(request: Request, here: Scene) -> RequestLine:
    """Return a request to look it up by its letters."""
    headers = {name.lower(): value for name, value in request.headers.items() if name.lower() in MATCHED_HEADERS}
    return RequestLine(
        i=-1, cell=here.cell, source=here.source, attempt=request.attempt, method=request.method,
        url=without_keys(request.url), headers=headers, body=msgspec.Raw(request.body),
    )  # fmt: skip


def _error_value(error: ProviderError) -> ErrorValue:
    return ErrorValue(
        type=type(error).__name__, message=error.message, hint=error.hint, status=error.status,
        retry_after_s=error.retry_after_s, is_temporary=error.is_temporary,
    )  # fmt: skip
