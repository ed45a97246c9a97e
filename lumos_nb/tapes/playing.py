"""How a recorded answer is played: how fast, in which pieces, and with which faults.

One idea: a tape is never recorded again to see what happens on a bad day; faults and other pieces are laid over it.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator

from lumos_nb.tapes.format import ChunkLine, Interaction


async def played(interaction: Interaction) -> AsyncGenerator[bytes, None]:
    """Yield the chunks of an answer; whoever else is waiting has a turn between two of them."""
    for chunk in interaction.chunks:
        await asyncio.sleep(0)
        yield data_of(chunk)


def data_of(chunk: ChunkLine) -> bytes:
    """Return the bytes of a chunk."""
    return base64.b64decode(chunk.base64) if chunk.base64 else chunk.text.encode()
