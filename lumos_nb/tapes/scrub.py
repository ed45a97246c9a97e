"""What does not get onto a tape: keys, cookies, tokens, whatever their form.

One idea: what is kept is listed; everything else is left out. And what a machine knows that plays a tape is less than
what the one knew that recorded it: so a request is changed only by what its text shows, the same on both, and one that
holds a secret of this machine is not recorded at all.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping

import msgspec

from lumos_nb.errors import SecretOnTape
from lumos_nb.hiding.addresses import without_keys
from lumos_nb.hiding.forms import DOTS
from lumos_nb.hiding.live import find_live, find_secrets, live_secrets
from lumos_nb.hiding.shapes import Found
from lumos_nb.tapes.canonical import MATCHED_HEADERS
from lumos_nb.tapes.edits import edited, find_homes
from lumos_nb.tapes.format import ChunkLine, EndLine, Interaction, Output, RequestLine, ToolLine
from lumos_nb.tapes.frames import KIND, edited_frames
from lumos_nb.tapes.said import said
from lumos_nb.tapes.scenes import Scene
from lumos_nb.tapes.writing import encoded, lines_of
from lumos_nb.transport.base import Request

KEPT_ANSWERED = frozenset({"content-type", "retry-after", "retry-after-ms"})
"""Headers of answers that are on a tape: those that mean something to who reads the answer."""

_DOTS = DOTS.encode()
_NONE: dict[str, str] = {}
_ASKED = "The request{where} holds {what}: it was not sent, and is not on the tape."
_CALLED = "A call of 'TOOL'{where} holds {what}: it is not on the tape."
_SAID = "The answer{where} holds {what}, in pieces over several events: it is not on the tape."
_LEFT = "What was recorded{where} holds {what}: it is not on the tape."
_UNSET = "Take it out of what the model is told; or, if it is no secret, unset it while you record."
_AGAIN = "Keep it out of what the model is told and asked for, and record again."


def request_line(request: Request, i: int, scene: Scene, attempt: int = 1) -> RequestLine:
    """Return a request as it may stand on a tape; what is looked up there goes through this, too.

    Args:
        request: The request, with its key.
        i: Its number; negative if it is only looked up.
        scene: The cell that asks.
        attempt: Which try it is, from 1.

    Raises:
        SecretOnTape: It is to be recorded, and its body holds a secret of this machine: where the tape is played
            nobody knows that, so nothing would match. It is not sent either.

    Example:
        >>> body = b'{"at": "/home/ada"}'
        >>> request = Request(url="http://ada:pw@h/v1?key=abc", headers={"x-api-key": "abc"}, body=body)
        >>> line = request_line(request, 0, Scene())
        >>> line.url, line.headers, bytes(line.body)
        ('http://h/v1?key=••••', {}, b'{"at": "~"}')
    """
    if i >= 0:
        _refuse(find_live(_latin(request.body), live_secrets(request)), _ASKED, scene.cell, _UNSET)
    text = clean(request.body)
    body, body64 = msgspec.Raw(b""), ""
    try:
        msgspec.json.decode(text)
        body = msgspec.Raw(text)
    except msgspec.MsgspecError:
        body64 = base64.b64encode(text).decode()
    return RequestLine(
        i=i, cell=scene.cell, source=scene.source, attempt=attempt, method=request.method,
        url=_clean_text(without_keys(request.url)), headers=_kept(request.headers, MATCHED_HEADERS), body=body,
        body64=body64,
    )  # fmt: skip


def answer_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of an answer that may stand on a tape."""
    return _kept(headers, KEPT_ANSWERED)


def scrubbed(interaction: Interaction, request: Request) -> Interaction:
    """Return an interaction as it may be written: dots for secrets in what was answered, also across two reads.

    Args:
        interaction: What was recorded; its request is that of `request_line`.
        request: The request as it was sent, with its key.

    Raises:
        SecretOnTape: A secret is said in pieces over several events, or is left anywhere; nothing may be written.
    """
    live, cell = live_secrets(request), interaction.request.cell
    kind = interaction.response.headers.get("content-type", "") if interaction.response is not None else ""
    chunks = _scrubbed_chunks(interaction.chunks, live, kind)
    done = Interaction(
        request=interaction.request, response=interaction.response, chunks=chunks,
        end=_scrubbed_end(interaction.end, live),
    )  # fmt: skip
    for text in said(done.answer):
        _refuse(find_secrets(_latin(text), live), _SAID, cell, _AGAIN)
    _refuse(find_live(_latin(encoded(lines_of(done))), live), _LEFT, cell, _AGAIN)
    return done


def scrubbed_tool(line: ToolLine) -> ToolLine:
    """Return the call of a tool as it may be written: dots for secrets in its result and in what it printed.

    Raises:
        SecretOnTape: Its arguments hold a secret of this machine, or one is left anywhere.

    Example:
        >>> call = ToolLine(i=0, name="f", arguments=msgspec.Raw(b'{"at": "/home/ada/x"}'), result=msgspec.Raw(b"{}"))
        >>> bytes(scrubbed_tool(call).arguments)
        b'{"at": "~/x"}'
    """
    live = live_secrets()
    _refuse(find_live(_latin(bytes(line.arguments)), live), _CALLED.replace("TOOL", line.name), line.cell, _UNSET)
    output = msgspec.json.decode(clean(msgspec.json.encode(line.output), live), type=tuple[Output, ...])
    done = msgspec.structs.replace(
        line,
        arguments=msgspec.Raw(clean(bytes(line.arguments))),
        output=output,
        result=msgspec.Raw(clean(bytes(line.result), live)),
    )
    _refuse(find_live(_latin(encoded([done])), live), _LEFT, line.cell, _AGAIN)
    return done


def _scrubbed_chunks(chunks: list[ChunkLine], live: Mapping[str, str], kind: str) -> list[ChunkLine]:
    data = [chunk.data for chunk in chunks]
    clean = _cleaned(data, live, kind)
    return [
        chunk if before == after else ChunkLine.of(chunk.i, chunk.t, after)
        for chunk, before, after in zip(chunks, data, clean, strict=True) if after or not before
    ]  # fmt: skip


def _scrubbed_end(end: EndLine, live: Mapping[str, str]) -> EndLine:
    if end.error is None:
        return end
    said_ = {name: _clean_text(getattr(end.error, name), live) for name in ("message", "hint")}
    return msgspec.structs.replace(end, error=msgspec.structs.replace(end.error, **said_))


def _cleaned(parts: list[bytes], live: Mapping[str, str], kind: str = "") -> list[bytes]:
    """Return pieces of one text without what is secret, and with `~` for the person's folder."""
    edit = edited_frames if kind.startswith(KIND) else edited
    parts = edit(parts, find_secrets(_latin(b"".join(parts)), live), _DOTS)
    return edit(parts, find_homes(_latin(b"".join(parts))), b"~")


def clean(data: bytes, live: Mapping[str, str] = _NONE) -> bytes:
    """Return a text without what looks like a key, home folders and, if they are named, secrets in use.

    Example:
        >>> clean(b"/home/ada/x sk-proj-0123456789abcdef0").decode()
        '~/x ••••'
    """
    return _cleaned([data], live)[0]


def shown_text(text: str) -> str:
    """Return a text as an error or a listing may show it: dots for what looks like a key and for secrets in use.

    Before it is cut: a part of a key is found no more.

    Example:
        >>> shown_text("my key is sk-proj-0123456789abcdef0")
        'my key is ••••'
    """
    return _clean_text(text, live_secrets())


def _clean_text(text: str, live: Mapping[str, str] = _NONE) -> str:
    return clean(text.encode(errors="surrogatepass"), live).decode(errors="replace")


def _latin(text: str | bytes) -> str:
    data = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    return data.decode("latin-1")


def _kept(headers: Mapping[str, str], names: frozenset[str]) -> dict[str, str]:
    return {name.lower(): _clean_text(value) for name, value in sorted(headers.items()) if name.lower() in names}


def _refuse(found: Iterable[Found], message: str, cell: str, hint: str) -> None:
    """Raise if anything was found; it is named by what it is, never by its text."""
    first = next(iter(found), None)
    if first is not None:
        where = f" of cell {cell!r}" if cell else ""
        raise SecretOnTape(message.format(where=where, what=first.what), hint=hint)
