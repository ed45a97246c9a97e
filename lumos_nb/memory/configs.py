"""What an agent was when it ran: instructions, tools, options.

One idea: many runs share one, so it is kept once and named by its hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from lumos_nb import clock
from lumos_nb.messages import ToolSpec, valid
from lumos_nb.stores import Ensure, Store

_encoder = msgspec.json.Encoder(enc_hook=repr)


class RunConfig(msgspec.Struct, frozen=True):
    """An agent as one run had it.

    Example:
        >>> RunConfig("a", "Be brief.").hash == RunConfig("b", "Be brief.").hash
        True
    """

    agent: str
    instructions: str = ""
    tools: Sequence[ToolSpec] = ()
    #: Of a model call; those that were given.
    options: Any = None
    max_steps: int = 0

    def to_json(self) -> str:
        """Return it as JSON text."""
        data = {
            "instructions": self.instructions,
            "tools": [{"name": t.name, "description": t.description, "parameters": t.parameters} for t in self.tools],
            "options": self.options or {},
            "max_steps": self.max_steps,
        }
        try:
            return _encoder.encode(data).decode()
        except UnicodeEncodeError:  # half a surrogate pair, which JSON cannot hold
            return _encoder.encode(valid(msgspec.to_builtins(data, enc_hook=repr))).decode()

    def row(self) -> tuple[str, Ensure]:
        """Return its hash, and the write that keeps it."""
        text = self.to_json()
        config_hash = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        row = {"config_hash": config_hash, "created_at": clock.time_ns(), "agent": self.agent, "config_json": text}
        return config_hash, Ensure("configs", row)

    @property
    def hash(self) -> str:
        """16 hexadecimal digits; the same for the same instructions, tools and options."""
        return self.row()[0]


def read_config(store: Store, config_hash: str | None) -> dict[str, Any] | None:
    """Return what an agent was in a run, or None where that was not kept.

    `{"instructions": str, "tools": [{"name", "description", "parameters"}], "options": {…}, "max_steps": int}`

    Example:
        >>> import tempfile; from lumos_nb.stores import open_store
        >>> store = open_store(tempfile.mkdtemp() + "/lumos.db")
        >>> name, write = RunConfig(agent="a", instructions="Be brief.").row()
        >>> store.write([write])
        >>> read_config(store, name)["instructions"]
        'Be brief.'
    """
    if config_hash is None:
        return None
    for (text,) in store.select("configs", ["config_json"], where=[("config_hash", "=", config_hash)]):
        found: dict[str, Any] = msgspec.json.decode(text)
        return found
    return None
