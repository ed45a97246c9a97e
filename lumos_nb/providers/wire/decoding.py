"""What the decoders of all formats share.

One idea: bytes go through a parser that gives whole events, an error is kept until the body ends,
and an answer without its end is never a success.
"""

from __future__ import annotations

import json
from typing import Any, Protocol, TypeVar

import msgspec

from lumos_nb.errors import LumosError, StreamError
from lumos_nb.events import ModelEvent
from lumos_nb.messages import valid
from lumos_nb.providers.failures import shorten

MADE_ID = "call_"
"""Beginning of the ids of calls for which the server gave none."""

_Event = TypeVar("_Event")


class Parser(Protocol):
    """Turns bytes into whole events of some framing."""

    def feed(self, chunk: bytes) -> list[Any]:
        """Return the events that `chunk` completes."""
        ...

    def close(self) -> list[Any]:
        """Return what the end of the body completes."""
        ...


class StreamDecoder:
    """A decoder of one response. A format's own writes `_read`, `_is_whole` and `_finish`.

    Args:
        parser: Gives the events of the body.
    """

    def __init__(self, parser: Parser) -> None:
        #: The format's end was seen, or an error: nothing more will come.
        self.is_done = False
        self._parser = parser
        self._failure: LumosError | None = None

    def feed(self, chunk: bytes) -> list[ModelEvent]:
        """Return the events of these bytes. An error is kept for `close`."""
        out: list[ModelEvent] = []
        if not self.is_done:
            try:
                self._read(self._parser.feed(chunk), out)
            except LumosError as error:
                self._fail(error)
            except RecursionError:
                self._fail(too_deep())
        return out

    def close(self) -> list[ModelEvent]:
        """Return the last events at the end of the body.

        Raises:
            StreamError: The body ended too early or could not be read, or the server sent an error.
        """
        out: list[ModelEvent] = []
        is_cut = False
        if not self.is_done:
            try:
                self._read(self._parser.close(), out)
            except StreamError:
                is_cut = True  # the last line was cut in the middle: that it broke off says more than bad JSON
            except RecursionError:
                self._fail(too_deep())
        if self._failure is not None:
            raise self._failure
        if self.is_done:
            return out
        if is_cut or not self._is_whole():
            raise broken_off()
        try:
            self._finish(out)
        except RecursionError:
            raise too_deep() from None
        return out

    def _read(self, events: list[Any], out: list[ModelEvent]) -> None:
        """Add to `out` what `events` say; `_finish` or `_fail` at the end, after which nothing more is read."""
        raise NotImplementedError

    def _is_whole(self) -> bool:
        """Return whether a body that ends here, without the format's own end, counts as whole."""
        return False

    def _finish(self, out: list[ModelEvent]) -> None:
        """Add the last events: what was held back, the tool calls, `Finish`; and set `is_done`."""
        raise NotImplementedError

    def _fail(self, error: LumosError) -> None:
        self.is_done = True
        self._failure = error


def made_id(response_id: str, n: int) -> str:
    """Return an id for the call at place `n`, for which the server gave none: the same bytes give the same id.

    Example:
        >>> made_id("resp_0123456789abcdef", 0), made_id("", 1)
        ('call_456789abcdef_0', 'call_1')
    """
    return MADE_ID + (f"{response_id[-12:]}_{n}" if response_id else str(n))


def reason_with(n_calls: int, reason: str) -> str:
    """Return why an answer ended: what came counts more than what the server says.

    Example:
        >>> reason_with(1, "stop"), reason_with(0, "tool_calls"), reason_with(1, "length")
        ('tool_calls', 'stop', 'length')
    """
    if n_calls and reason in {"stop", "other"}:
        return "tool_calls"
    return "stop" if not n_calls and reason == "tool_calls" else reason


def mended(decoder: msgspec.json.Decoder[_Event], data: bytes, figures: str = "usage") -> _Event | None:
    """Return an event that could not be read as it came, or None if it cannot be at all.

    An answer is not lost for a figure, nor for half a character, as servers send it who cut text into UTF-16.

    Args:
        decoder: Reads such an event.
        data: The event.
        figures: Key of the usage, which is left out.
    """
    try:
        value = json.loads(data, object_hook=lambda each: {k: v for k, v in each.items() if k != figures})
        return decoder.decode(msgspec.json.encode(valid(value))) if isinstance(value, dict) else None
    except (ValueError, RecursionError):  # of which msgspec's errors are
        return None


def broken_off() -> StreamError:
    """Return the error of a body that ended without its end."""
    return StreamError(
        "The answer broke off: the server ended it without saying that it was finished.",
        hint="Run it again; if it stays so, look at the server's log or the proxy in between.",
        is_temporary=True,
    )


def stopped(reason: str) -> StreamError:
    """Return the error of an answer that its server ended for a reason of its own.

    Example:
        >>> print(stopped("network_error").message)
        The server stopped in the middle of the answer: 'network_error'.
    """
    return StreamError(
        f"The server stopped in the middle of the answer: {reason!r}.",
        hint="Run it again in a while, or use another model.",
        is_temporary=True,
    )


def too_deep() -> StreamError:
    """Return the error of an event whose JSON is nested more deeply than can be read."""
    return StreamError(
        "The server sent an event of JSON that is nested too deeply to be read.",
        hint="Check that base_url is the address of a model server.",
    )


def unreadable(data: bytes, format: str) -> StreamError:
    """Return the error of an event that is not of the format.

    Example:
        >>> print(unreadable(b"{oops", "Chat Completions").message)
        The server sent an event that is not a Chat Completions chunk: '{oops'.
    """
    article = "an" if format[:1] in "AEIOU" else "a"
    return StreamError(
        f"The server sent an event that is not {article} {format} chunk: {shorten(data.decode(errors='replace'))!r}.",
        hint="Check that base_url is the address of such a server, and that the format is right.",
    )
