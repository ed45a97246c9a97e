"""The documents of runs, for pages that show them outside of cells: of those that go on, and of recorded ones."""

from __future__ import annotations

from typing import Any

import msgspec

from lumos_nb.agent.bridge import run_sync
from lumos_nb.errors import LumosError
from lumos_nb.memory import Memory
from lumos_nb.runtime import LiveRun
from lumos_nb.transcript import Transcript
from lumos_nb.widgets.bundle import run_markdown, static_bundle

LARGEST_BYTES = 4_000_000
"""A run that takes more comes without its tables and pictures; its trace has them."""


def standing_doc(run: LiveRun) -> dict[str, Any]:
    """Return the document of a run as it stands.

    It goes on meanwhile: encoding it is one step, in which nothing comes between.
    """
    doc: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(run.doc()))
    return doc


def saved_doc(memory: Memory, run_id: str) -> dict[str, Any]:
    """Return the document of a recorded run; of one that cannot be read, one that says why."""
    try:
        saved = run_sync(memory.get_run(run_id))
        transcript = Transcript()
        for event, ns in saved.timed:
            transcript.apply_at([event], ns / 1e9)
    except LumosError as error:  # of a newer version, or deleted meanwhile: others are shown all the same
        told = {"type": type(error).__name__, "message": error.message, "hint": error.hint}
        return {**Transcript().doc, "run_id": run_id, "status": "failed", "error": told}
    doc = transcript.doc
    if doc["status"] == "running":  # its process has ended, or it runs in another one
        doc["status"] = saved.row["status"] if saved.row["status"] != "running" else "cancelled"
    return doc


def bearable(doc: dict[str, Any]) -> dict[str, Any]:
    """Return the bundle of a run, or where that is too large for a conversation, its text alone.

    Example:
        >>> from lumos_nb.transcript import Transcript
        >>> sorted(bearable(Transcript().doc))
        ['application/vnd.lumos.run+json', 'text/html', 'text/markdown', 'text/plain']
        >>> large = {"kind": "text", "text": "x" * LARGEST_BYTES}
        >>> sorted(bearable({**Transcript().doc, "items": [large]}))
        ['text/markdown']
    """
    if len(msgspec.json.encode(doc, enc_hook=repr)) <= LARGEST_BYTES:
        return static_bundle(doc)
    text = run_markdown(doc)
    cut = f"{text[:20_000]}…\n\n" if len(text) > 20_000 else f"{text}\n\n"
    return {"text/markdown": f"{cut}*This run is too large to be shown here. Its trace has all of it.*"}
