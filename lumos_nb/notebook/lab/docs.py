"""The documents of runs, for pages that show them outside of cells: of those that go on, and of recorded ones."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec

from lumos_nb.agent.bridge import run_sync
from lumos_nb.errors import LumosError, UsageError
from lumos_nb.events import Error, ErrorInfo
from lumos_nb.memory import SavedRun
from lumos_nb.memory.reopening import runs_elsewhere
from lumos_nb.runtime import LiveRun, Runtime
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


def saved_doc(runtime: Runtime, run_id: str) -> dict[str, Any]:
    """Return the document of a recorded run; of one that cannot be read, one that says why."""
    try:
        return recorded(runtime, run_sync(runtime.memory.get_run(run_id)))
    except LumosError as error:  # of a newer version, or deleted meanwhile: others are shown all the same
        told = {"type": type(error).__name__, "message": error.message, "hint": error.hint}
        return {**Transcript().doc, "run_id": run_id, "status": "failed", "error": told}


def recorded(runtime: Runtime, saved: SavedRun) -> dict[str, Any]:
    """Return the document of a run as its log has it; one that its process left in the middle says so."""
    row, thread = saved.row, ""
    with contextlib.suppress(UsageError):  # the thread was deleted meanwhile
        thread = runtime.thread(row["thread_id"]).title if row["thread_id"] else ""
    transcript = Transcript(thread)
    for event, ns in saved.timed:
        transcript.apply_at([event], ns / 1e9)
    if transcript.doc["status"] == "running" and not runs_elsewhere(row["process"]):
        left = ErrorInfo(
            type="KernelGone",
            message="The kernel was restarted or ended in the middle of this run.",
            hint=f"%agent resume {row['run_id']} goes on with it." if saved.can_go_on else "Run the cell again.",
        )
        transcript.apply_at([Error(error=left)], saved.last_at)
    return transcript.doc


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
