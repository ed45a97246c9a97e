"""Messages and their parts: what a conversation is made of.

One idea: a message is an immutable, typed value that serialises by itself. The format is
versioned (`MESSAGE_VERSION`); old samples are kept in the tests and must always load.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar, Literal

import msgspec

from lumos_nb._callable import as_frame
from lumos_nb.errors import UsageError

MESSAGE_VERSION = 1
"""Version of the stored form of a message. Additions keep it; anything else raises it."""

Role = Literal["system", "user", "assistant", "tool"]


class TextPart(msgspec.Struct, frozen=True, tag_field="type", tag="text", omit_defaults=True, repr_omit_defaults=True):
    """Plain text."""

    type: ClassVar[str] = "text"
    text: str
    #: Opaque data that `provider` wants back unchanged with this part; see `ReasoningPart`.
    signature: str | None = None
    provider: str | None = None


class ReasoningPart(
    msgspec.Struct, frozen=True, tag_field="type", tag="reasoning", omit_defaults=True, repr_omit_defaults=True
):
    """What a model thought before it answered."""

    type: ClassVar[str] = "reasoning"
    text: str
    #: Opaque data that `provider` wants back unchanged; its form is the wire format's own.
    signature: str | None = None
    #: A vendor's id, with `:format` behind it if that is not its usual one; only there the signature is sent again.
    provider: str | None = None


class ImagePart(msgspec.Struct, frozen=True, tag_field="type", tag="image", omit_defaults=True):
    """A picture: its bytes, or an address from which the model's server fetches it.

    Example:
        >>> ImagePart(data=b"GIF", media_type="image/gif").address()
        'data:image/gif;base64,R0lG'
    """

    type: ClassVar[str] = "image"
    media_type: str = "image/png"
    data: bytes | None = None
    url: str | None = None

    def address(self) -> str:
        """Return the bytes as a `data:` address, else the url.

        Raises:
            UsageError: It has neither.
        """
        return _address(self)


class FilePart(msgspec.Struct, frozen=True, tag_field="type", tag="file", omit_defaults=True):
    """A document or a sound: its bytes, or an address from which the model's server fetches it.

    Example:
        >>> FilePart(media_type="audio/wav", data=b"RIFF").kind
        'audio'
    """

    type: ClassVar[str] = "file"
    media_type: str = "application/pdf"
    data: bytes | None = None
    url: str | None = None
    #: What the model may call it.
    name: str = ""

    @property
    def kind(self) -> str:
        """What it is: `pdf`, `audio`, or `file` for anything else."""
        if self.media_type.startswith("audio/"):
            return "audio"
        return "pdf" if self.media_type == "application/pdf" else "file"

    def address(self) -> str:
        """Return the bytes as a `data:` address, else the url.

        Raises:
            UsageError: It has neither.
        """
        return _address(self)


def _address(part: ImagePart | FilePart) -> str:
    if part.data is not None:
        return f"data:{part.media_type};base64,{base64.b64encode(part.data).decode()}"
    if part.url is None:
        raise without_source(part)
    return part.url


def without_source(part: ImagePart | FilePart) -> UsageError:
    """Return the error of a part that has neither data nor a url."""
    return UsageError(f"{type(part).__name__} has neither data nor a url.", hint="Give it one of the two.")


class ToolCall(
    msgspec.Struct, frozen=True, tag_field="type", tag="tool_call", omit_defaults=True, repr_omit_defaults=True
):
    """A model's wish to call a tool.

    `arguments` is the JSON text as the model wrote it, which need not be valid.
    """

    type: ClassVar[str] = "tool_call"
    id: str
    name: str
    #: A factory, so that it is written also when it is empty: readers of the stored form look for it.
    arguments: str = msgspec.field(default_factory=lambda: "{}")
    #: Opaque data that `provider` wants back unchanged with this part; see `ReasoningPart`.
    signature: str | None = None
    provider: str | None = None

    def parsed(self) -> dict[str, Any]:
        """Return the arguments as a dict.

        Raises:
            ValueError: The text is not a JSON object; says where it breaks.

        Example:
            >>> ToolCall(id="1", name="rows", arguments='{"limit": 5}').parsed()
            {'limit': 5}
            >>> ToolCall(id="1", name="rows", arguments="").parsed()
            {}
        """
        value = from_json(self.arguments) if self.arguments.strip() else {}
        if not isinstance(value, dict):
            raise ValueError(f"expected a JSON object, got {type(value).__name__}")
        return value


class ToolResult(msgspec.Struct, frozen=True, tag_field="type", tag="tool_result", omit_defaults=True):
    """What a tool gave back."""

    type: ClassVar[str] = "tool_result"
    call_id: str
    name: str
    #: What the model is told.
    content: str
    is_error: bool = False
    #: What a person is shown: a MIME bundle (`text/html`, `image/png` in base64 …), or empty.
    display: dict[str, Any] = {}
    #: Size of the whole result in bytes, before any cut.
    size_bytes: int = 0
    #: Type name of the exception, if one was raised.
    error_type: str | None = None
    #: Its traceback, last line first; for a person, never for the model.
    traceback: str | None = None


class ToolSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A tool as a model sees it: name, description and the JSON schema of its arguments."""

    name: str
    description: str = ""
    #: A JSON schema of type `object`.
    parameters: dict[str, Any] = msgspec.field(default_factory=lambda: {"type": "object", "properties": {}})


class ToolChoice(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether the model may, must or must not call tools.

    Args:
        mode: `auto` (it decides), `none`, `required` (any of them), or `tool` (the one called `name`).
        name: Name of that one tool.

    Example:
        >>> ToolChoice.of("required"), ToolChoice.of("rows")
        (ToolChoice(mode='required', name=''), ToolChoice(mode='tool', name='rows'))
    """

    mode: Literal["auto", "none", "required", "tool"] = "auto"
    name: str = ""

    @classmethod
    def of(cls, value: ToolChoice | str | None) -> ToolChoice:
        """Return a choice given as `auto`, `none`, `required` or a tool's name; None is `auto`."""
        if isinstance(value, ToolChoice):
            return value
        if value is None or value in {"auto", "none", "required"}:
            return cls(value or "auto")  # type: ignore[arg-type]
        return cls("tool", value)


Part = TextPart | ReasoningPart | ImagePart | FilePart | ToolCall | ToolResult


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, dict=True):
    """One message of a conversation.

    Args:
        role: Who speaks: `system`, `user`, `assistant` or `tool`.
        content: Text, or a tuple of parts.
        id: Set by the store when the message is kept; empty before.

    Example:
        >>> Message(role="user", content="Hello").text
        'Hello'
        >>> Message(role="assistant", content=(TextPart("a"), TextPart("b"))).parts
        (TextPart(text='a'), TextPart(text='b'))
    """

    role: Role
    content: str | tuple[Part, ...] = ""
    id: str = ""

    @property
    def parts(self) -> tuple[Part, ...]:
        """The content as parts, also when it was given as text."""
        if isinstance(self.content, str):
            return (TextPart(self.content),) if self.content else ()
        return self.content

    @property
    def text(self) -> str:
        """All text parts, joined."""
        if isinstance(self.content, str):
            return self.content
        return "".join(p.text for p in self.content if isinstance(p, TextPart))

    @cached_property
    def as_json(self) -> msgspec.Raw:
        """Role and text as JSON, made once: a conversation is sent again with each step."""
        return msgspec.Raw(msgspec.json.encode({"role": self.role, "content": valid_text(self.text)}))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tool calls among the parts."""
        return tuple(p for p in self.parts if isinstance(p, ToolCall))


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Message)


def encode_message(message: Message) -> bytes:
    """Return the message as JSON bytes, in the stored form.

    Example:
        >>> encode_message(Message(role="user", content="Hi"))
        b'{"role":"user","content":"Hi"}'
    """
    return _encoder.encode(message)


def decode_message(data: bytes | str) -> Message:
    """Return the message that `encode_message` wrote; unknown keys are ignored.

    Example:
        >>> decode_message('{"role":"user","content":[{"type":"text","text":"Hi"}]}').text
        'Hi'
    """
    return _decoder.decode(data)


def from_json(text: str) -> Any:
    """Return the value of a JSON text as models write it: `NaN` and half characters are taken.

    Raises:
        ValueError: It is not JSON; says where it breaks.
        RecursionError: It is nested too deeply.
    """
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):  # stricter, and several times as quick
        return json.loads(text)


def valid_text(text: str) -> str:
    """Return a text that can be written as UTF-8: surrogate pairs joined, lone ones replaced.

    Example:
        >>> valid_text("\\ud83c\\udf89 \\ud83d") == "🎉 �"
        True
    """
    try:
        text.encode()
        return text
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def valid(value: Any) -> Any:
    """Return builtin data with `valid_text` applied to all texts in it."""
    if isinstance(value, str):
        return valid_text(value)
    if isinstance(value, dict):
        return {valid(k): valid(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [valid(v) for v in value]
    return value


def as_messages(prompt: str | Message | Sequence[Message]) -> list[Message]:
    """Return a prompt in any accepted form as a list of messages.

    Example:
        >>> as_messages("Hi")
        [Message(role='user', content='Hi', id='')]
    """
    if isinstance(prompt, str):
        return [Message(role="user", content=prompt)]
    if isinstance(prompt, Message):
        return [prompt]
    return list(prompt)


as_frame(__name__)
