"""What a vendor takes in messages, beside text.

One idea: what is asked now must be taken, or the person is told; what was said before must not end
the conversation, so a model that cannot see an earlier picture hears that there was one.
"""

from __future__ import annotations

from collections.abc import Sequence

from lumos_nb.errors import UsageError
from lumos_nb.messages import FilePart, ImagePart, Message, Part, TextPart
from lumos_nb.providers.vendors import Vendor


def taken(messages: Sequence[Message], vendor: Vendor) -> tuple[Message, ...]:
    """Return messages that a vendor takes: earlier pictures, documents and sounds that it does not are named in words.

    Raises:
        UsageError: The last message of the user holds one.

    Example:
        >>> old = Message(role="user", content=(TextPart("Look."), ImagePart(data=b"a")))
        >>> taken([old, Message(role="user", content="Thanks.")], Vendor(id="mine", accepts=()))[0].text
        'Look.[A picture was here; this model takes none.]'
    """
    accepts = vendor.accepts
    if accepts is None or not any(_kind(part) for m in messages if type(m.content) is not str for part in m.parts):
        return tuple(messages)
    asked = max((n for n, message in enumerate(messages) if message.role == "user"), default=0)
    out = list(messages)
    for n, message in enumerate(messages):
        missed = [kind for part in message.parts if (kind := _kind(part)) and kind not in accepts]
        if missed and n >= asked:
            raise UsageError(
                f"{vendor.id!r} takes no {missed[0]} in messages.",
                hint=f"It takes: {', '.join(('text', *accepts))}. Use another model, or send text.",
            )
        if missed:
            parts = tuple(_in_words(part) if _kind(part) in missed else part for part in message.parts)
            out[n] = Message(role=message.role, content=parts, id=message.id)
    return tuple(out)


def _kind(part: Part) -> str:
    """Return the word of a vendor's row for a part; empty for text, calls and the like."""
    return "image" if isinstance(part, ImagePart) else part.kind if isinstance(part, FilePart) else ""


def _in_words(part: Part) -> Part:
    name = {"image": "picture", "pdf": "document", "audio": "sound"}.get(_kind(part), "file")
    return TextPart(f"[A {name} was here; this model takes none.]")
