"""How a recorded answer is played: how fast, in which pieces, and with which faults.

One idea: a tape is never recorded again to see what happens on a bad day; faults and other pieces are laid over it.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Literal

import msgspec

from lumos_nb import clock, errors
from lumos_nb.errors import LumosError, ProviderError, StreamError, UsageError
from lumos_nb.tapes.format import ErrorValue, Interaction
from lumos_nb.transport.base import Response
from lumos_nb.transport.failures import timed_out

Piece = tuple[float, bytes]
"""When it arrives, in seconds since the request was sent, and what."""


STOPPED_S = 10.0
"""Seconds that a program has, beyond those it took when it was recorded, to stop a request once more."""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something that goes wrong on the way, laid over a recorded answer.

    `reset`: the body breaks off; `stall`: it goes silent for longer than the settings allow; `malformed`: a read is
    cut to its half, as if bytes were lost; `refuse`: the server says no, with `status`; `unreachable`: nothing answers.

    Example:
        >>> Fault(how="refuse", status=429, retry_after_s=2.0).times
        1
    """

    how: Literal["reset", "stall", "malformed", "refuse", "unreachable"]
    #: The request's number on the tape; None: whichever comes first.
    request: int | None = None
    #: Reads that go well before it (reset, stall), or the number of the read that is cut (malformed).
    after_chunk: int = 0
    #: How often it happens, before all is well.
    times: int = 1
    status: int = 429
    retry_after_s: float | None = None


class Playing(msgspec.Struct, frozen=True, kw_only=True):
    """How a deck plays its tape.

    Example:
        >>> Playing(rechunk="bytes").time
        'instant'
    """

    #: instant, one turn of the loop a read; real; a factor as "10"; virtual: as long as `clock` says.
    time: str = "instant"
    #: recorded; bytes, one a read; whole, in one; or random:SEED.
    rechunk: str = "recorded"
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        if self.rechunk not in {"recorded", "bytes", "whole"} and not self.rechunk.startswith("random:"):
            raise UsageError(
                f"rechunk cannot be {self.rechunk!r}.", hint="It is recorded, bytes, whole or random:SEED."
            )
        if self.time not in {"instant", "real", "virtual"} and not _factor(self.time) > 0:
            raise UsageError(f"time cannot be {self.time!r}.", hint="It is instant, real, virtual or a factor as '10'.")


class Player:
    """Plays the answers of one deck.

    Args:
        playing: How.
    """

    def __init__(self, playing: Playing) -> None:
        self.playing = playing
        self._happened: Counter[Fault] = Counter()

    @asynccontextmanager
    async def play(
        self, interaction: Interaction, tape: str, again: Callable[[Interaction], None]
    ) -> AsyncIterator[Response]:
        """Give a recorded answer as a transport does.

        Args:
            interaction: Which.
            tape: The tape's name, for who shows it.
            again: Called if a fault comes in between: the same request may then be made once more.

        Raises:
            ProviderError: As it was recorded, or by a fault.
        """
        began = clock.perf_counter()
        fault = self._due(interaction)
        if fault is not None:
            again(interaction)
        if fault is not None and fault.how in {"refuse", "unreachable"}:
            yield _refused(fault, interaction, tape)
            return
        head = interaction.response
        if head is None:
            await self._wait(began, interaction.end.t)
            if interaction.end.how == "cancelled":
                raise await _stopped(interaction)
            raise _raised(interaction.end.error, interaction.request.url)
        await self._wait(began, head.t)
        async with aclosing(self._chunks(interaction, fault, began)) as chunks:
            yield Response(status=head.status, headers=head.headers, chunks=chunks, tape=tape)

    def _due(self, interaction: Interaction) -> Fault | None:
        for fault in self.playing.faults:
            if fault.request in (None, interaction.request.i) and self._happened[fault] < fault.times:
                self._happened[fault] += 1
                return fault
        return None

    async def _chunks(self, interaction: Interaction, fault: Fault | None, began: float) -> AsyncGenerator[bytes, None]:
        pieces = [(line.t, line.data) for line in interaction.chunks]
        if fault is not None and fault.how == "malformed":
            pieces = _cut(pieces, fault.after_chunk)
        elif fault is not None:
            pieces = pieces[: fault.after_chunk]
        for t, data in _rechunked(pieces, self.playing.rechunk, interaction.request.i):
            await self._wait(began, t)
            yield data
        url, end = interaction.request.url, interaction.end
        if fault is not None and fault.how == "reset":
            raise StreamError("The connection was reset (a fault laid over the tape).", is_temporary=True)
        if fault is not None and fault.how == "stall":
            raise timed_out("read_timeout_s", url, is_streaming=True)
        if end.how == "cancelled":
            raise await _stopped(interaction)
        await self._wait(began, end.t)
        if end.error is not None:
            raise _raised(end.error, url)

    async def _wait(self, began: float, t: float) -> None:
        """Wait for the moment `t` of a recording; at least one turn of the loop, so that others have theirs."""
        match self.playing.time:
            case "instant":
                await asyncio.sleep(0)
            case "virtual":
                await clock.sleep(began + t - clock.perf_counter())
            case factor:
                await asyncio.sleep(max(0.0, began + t / _factor(factor) - clock.perf_counter()))


def _factor(time: str) -> float:
    try:
        return 1.0 if time == "real" else float(time)
    except ValueError:
        return 0.0


def _rechunked(pieces: list[Piece], how: str, i: int) -> list[Piece]:
    """Return the same bytes in other pieces, each as late as the last byte in it."""
    if how == "recorded" or not pieces:
        return pieces
    if how == "bytes":
        return [(t, data[n : n + 1]) for t, data in pieces for n in range(len(data))]
    whole = b"".join(data for _, data in pieces)
    if how == "whole":
        return [(pieces[-1][0], whole)]
    chance = random.Random(f"{how}:{i}")  # noqa: S311 - the same cuts each time
    cuts, found, seen = sorted({len(whole), *chance.sample(range(len(whole)), min(len(whole), 3 * len(pieces)))}), [], 0
    ends = _ends(pieces)
    for end in cuts:
        if end > seen:
            found.append((next(t for at, t in ends if at >= end), whole[seen:end]))
            seen = end
    return found


def _ends(pieces: list[Piece]) -> list[tuple[int, float]]:
    found, n = [], 0
    for t, data in pieces:
        n += len(data)
        found.append((n, t))
    return found


def _cut(pieces: list[Piece], n: int) -> list[Piece]:
    return [(t, data[: len(data) // 2] if k == n else data) for k, (t, data) in enumerate(pieces)]


def _refused(fault: Fault, interaction: Interaction, tape: str) -> Response:
    if fault.how == "unreachable":
        raise ProviderError(
            f"{interaction.request.url} could not be reached (a fault laid over the tape).", is_temporary=True
        )
    headers = {"content-type": "application/json"}
    if fault.retry_after_s is not None:
        headers["retry-after"] = f"{fault.retry_after_s:g}"
    return Response(status=fault.status, headers=headers, chunks=_body(fault.status), tape=tape)


async def _body(status: int) -> AsyncGenerator[bytes, None]:
    yield msgspec.json.encode({"error": {"message": f"Refused with {status} (a fault laid over the tape)."}})


async def _stopped(interaction: Interaction) -> StreamError:
    """Wait for the program to stop the request, as it did when it was recorded; return the error if it does not.

    A limit of time, or an answer that lost a race, stops it again. A person who did so is not there: without an end
    a notebook would hang where it was played.
    """
    await asyncio.sleep(interaction.end.t + STOPPED_S)
    return StreamError(
        "The recorded request was stopped at this point, and nothing stops it now.",
        hint="Record the cell anew, and let it come to its end.",
    )


def _raised(error: ErrorValue | None, url: str) -> LumosError:
    """Return the error that was recorded, of the same type."""
    if error is None:
        return ProviderError(f"{url} did not answer when the tape was recorded.")
    kind = getattr(errors, error.type, ProviderError)
    if not (isinstance(kind, type) and issubclass(kind, ProviderError)):
        return LumosError(error.message, hint=error.hint)
    return kind(
        error.message, hint=error.hint, status=error.status, retry_after_s=error.retry_after_s,
        is_temporary=error.is_temporary,
    )  # fmt: skip
