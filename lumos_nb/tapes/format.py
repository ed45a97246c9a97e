"""The file of a tape: JSON lines, one interaction after the other, as a `git diff` can be read.

One idea: what a line holds is what was on the wire, with its time. Everything worked out from it, such as what
tells two requests apart, is worked out when it is read.

```
{"k": "tape", "v": 1, "lumos": version, "notebook": file name or "", "recorded_at": ISO 8601 UTC,
 "default_model": model that was asked where a cell named none, or ""}
{"k": "request", "i": number, "cell": cell id or "", "source": hash of the cell's source or "", "attempt": 1 …,
 "method", "url", "headers": {those that matter}, "body": JSON as sent | "body64": other bytes in Base64}
{"k": "response", "i", "t": seconds since it was sent, "status", "headers"}     absent where no answer came
{"k": "chunk", "i", "t", "text": UTF-8 | "base64"}                             one a read
{"k": "end", "i", "t", "how": "complete" | "closed" | "broken" | "unreachable" | "cancelled", "error": {…} | null}
{"k": "tool", "i", "cell", "source", "name", "arguments": JSON, "t", "output": [[kind, text, data] …],
 "result": {…}}
```
`how`: complete, the body was read to its end; closed, who read it had enough; broken, it broke off; unreachable, no
answer came; cancelled, the run was stopped. Lines of one interaction stand together, in this order.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

import msgspec

TAPE_VERSION = 1
HOWS = ("complete", "closed", "broken", "unreachable", "cancelled")

NO_BODY = msgspec.Raw(b"")
"""This very object is left out of the file; another empty one is not."""


class Header(msgspec.Struct, frozen=True, kw_only=True, tag_field="k", tag="tape"):
    """The first line."""

    v: int = TAPE_VERSION
    lumos: str = ""
    notebook: str = ""
    recorded_at: str = ""
    default_model: str = ""


class RequestLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="k", tag="request", omit_defaults=True):
    """A request as it was sent, without what is secret."""

    i: int
    cell: str = ""
    source: str = ""
    attempt: int = 1
    method: str = "POST"
    url: str
    headers: dict[str, str] = {}
    body: msgspec.Raw = NO_BODY
    body64: str = ""


class ResponseLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="k", tag="response"):
    """The beginning of an answer."""

    i: int
    t: float
    status: int
    headers: dict[str, str] = {}


class ChunkLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="k", tag="chunk", omit_defaults=True):
    """What one read gave."""

    i: int
    t: float
    text: str = ""
    base64: str = ""

    @classmethod
    def of(cls, i: int, t: float, data: bytes) -> ChunkLine:
        """Return a read as a line: as text, if it is one.

        Example:
            >>> ChunkLine.of(0, 0.1, b"data: {}").text, ChunkLine.of(0, 0.1, bytes([255])).base64
            ('data: {}', '/w==')
        """
        try:
            return cls(i=i, t=t, text=data.decode())
        except UnicodeDecodeError:
            return cls(i=i, t=t, base64=b64encode(data).decode())

    @property
    def data(self) -> bytes:
        """What was read."""
        return b64decode(self.base64) if self.base64 else self.text.encode()


class ErrorValue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error that a transport raised: the name of its class in `lumos_nb.errors`, and what it said."""

    type: str
    message: str
    hint: str = ""
    status: int | None = None
    retry_after_s: float | None = None
    is_temporary: bool = False


class EndLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="k", tag="end"):
    """How it ended."""

    i: int
    t: float
    how: str
    error: ErrorValue | None = None


Output = tuple[str, str, dict[str, Any]]
"""What a tool printed or displayed: kind, text and data, as a `ToolOutput` has them."""


class ToolLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="k", tag="tool", omit_defaults=True):
    """A call of a tool that is on the tape, too."""

    i: int
    cell: str = ""
    source: str = ""
    name: str
    arguments: msgspec.Raw
    t: float = 0.0
    output: tuple[Output, ...] = ()
    #: A `ToolResult`.
    result: msgspec.Raw


Line = Header | RequestLine | ResponseLine | ChunkLine | EndLine | ToolLine


class Interaction(msgspec.Struct, kw_only=True):
    """A request and all that came back."""

    request: RequestLine
    response: ResponseLine | None = None
    chunks: list[ChunkLine] = []
    end: EndLine

    @property
    def answer(self) -> str:
        """The body of the answer as text; what is no text of it as `�`."""
        return b"".join(each.data for each in self.chunks).decode(errors="replace")


class Tape(msgspec.Struct, kw_only=True):
    """A whole tape, as it was read from its file."""

    header: Header
    #: In the order in which they were begun.
    interactions: list[Interaction] = []
    tools: list[ToolLine] = []
