"""What agents propose to do to the notebook's cells, and what a person decides about it.

One idea: a proposal is a tool call that waits for a person, so it stops, times out and is logged as any
other question. The page shows it in its place, where it can be changed first; whoever answers first, in
the page, in the run or in another tab, has decided.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from lumos_nb.errors import UsageError
from lumos_nb.notebook.lab.cellasks import ASKS, Kind
from lumos_nb.notebook.lab.protocol import asked
from lumos_nb.notebook.lab.room import Room
from lumos_nb.runtime import LiveRun

WRITING: dict[str, Kind] = {
    "insert_cell": "insert", "edit_cell": "edit", "delete_cell": "delete", "run_cell": "run",
}  # fmt: skip
KEPT = 200
"""Decisions that are remembered until their tools ask for them: the last ones."""


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent wants to do to a cell."""

    run_id: str
    call_id: str
    agent: str
    kind: Kind
    #: The cell that it is about, or that a new one comes after; empty: the end of the notebook.
    cell_id: str
    type: str
    #: The new text, or with `old` what takes that one's place.
    source: str
    old: str | None
    #: What the agent has read, where it is to be replaced as a whole.
    base: str | None


class Proposals(msgspec.Struct, frozen=True):
    """What waits, in the order in which it was proposed."""

    proposals: list[Proposal]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a person decided about a proposal."""

    run_id: str
    call_id: str
    accepts: bool
    page: str
    #: The text as the person changed it; None: as proposed.
    source: str | None = None
    #: What the cell said when the person decided.
    base: str | None = None
    #: Why not.
    reason: str = ""
    #: Nobody decided: it cannot be done to the notebook of this page, as that stands there.
    is_impossible: bool = False


class ProposalsRoom(Room):
    """Shows what waits, and takes decisions."""

    page_asks = ASKS

    def __init__(self, server: Any) -> None:
        super().__init__(server)
        #: By run and call: the page that decided, and what the cell said there.
        self._verdicts: dict[tuple[str, str], Verdict] = {}
        #: By run and call: the pages in which it cannot be done.
        self._impossible: dict[tuple[str, str], set[str]] = {}

    @asked("proposals.list")
    def list(self) -> Proposals:
        found = []
        for run in self.runtime.live():
            ours = [proposal for item in _waiting(run) if (proposal := self._proposal(run, item)) is not None]
            if ours:
                run.hear()
            found += ours
        return Proposals(found)

    @asked("proposals.decide")
    def decide(self, verdict: Verdict) -> None:
        run, item = self._find(verdict)
        key = verdict.run_id, verdict.call_id
        if verdict.is_impossible:
            pages = self._impossible.get(key, set()) | {verdict.page}
            _keep(self._impossible, key, pages)
            if not pages >= set(self.server.pages):
                return  # another notebook of this kernel, or another tab, may show the cell as it was read
        _keep(self._verdicts, key, verdict)
        try:
            self.act_on(run, _action(verdict, item))
        except UsageError:
            del self._verdicts[key]
            raise
        self._impossible.pop(key, None)
        self.server.tell_changed("approvals")

    def verdict(self, run_id: str, call_id: str) -> Verdict | None:
        """Return what a page has decided about a call; None where it was decided elsewhere, or ahead."""
        return self._verdicts.pop((run_id, call_id), None)

    def _find(self, verdict: Verdict) -> tuple[LiveRun, dict[str, Any]]:
        for run in self.runtime.live():
            for item in _waiting(run):
                if (run.run_id, item["call_id"]) == (verdict.run_id, verdict.call_id):
                    return run, item
        raise UsageError("This proposal is decided already.", hint="The run that made it says how.")

    def _proposal(self, run: LiveRun, item: dict[str, Any]) -> Proposal | None:
        from lumos_nb.notebook.celltools import is_ours, place_of, read_text

        if not is_ours(run.run_id, item["call_id"]):
            return None
        given = _arguments(item["arguments"])
        kind = WRITING[item["name"]]
        cell = given.get("cell_id") or ""
        old = given.get("old") or None
        return Proposal(
            run_id=run.run_id, call_id=item["call_id"], agent=run.agent, kind=kind,
            cell_id=place_of(run.run_id, item["call_id"], given.get("after") or "", run.cell_id)
            if kind == "insert"
            else cell,
            type=given.get("type") or "code", source=given.get("source") or "", old=old,
            base=read_text(run.run_id, cell) if kind == "edit" and old is None else None,
        )  # fmt: skip


def _keep(where: dict[Any, Any], key: Any, value: Any) -> None:
    where[key] = value
    while len(where) > KEPT:
        del where[next(iter(where))]


def _waiting(run: LiveRun) -> Iterator[dict[str, Any]]:
    for item in list(run.doc()["items"]):
        if item["kind"] == "tool" and item["status"] == "waiting" and item["name"] in WRITING:
            yield item


def _arguments(text: str) -> dict[str, str]:
    """Return the arguments that are texts, as far as they can be read.

    Example:
        >>> _arguments('{"cell_id": "a", "old": null}'), _arguments("[1")
        ({'cell_id': 'a'}, {})
    """
    try:
        given = json.loads(text)
    except ValueError:
        return {}
    return {k: v for k, v in given.items() if isinstance(v, str)} if isinstance(given, dict) else {}


def _action(verdict: Verdict, item: dict[str, Any]) -> dict[str, Any]:
    """Return what the run understands."""
    call = {"call_id": verdict.call_id}
    if not verdict.accepts:
        return {"t": "deny", "reason": verdict.reason, **call}
    if verdict.source is None:
        return {"t": "allow", **call}
    given = {k: v for k, v in _arguments(item["arguments"]).items() if k != "old"}  # it is the whole text now
    return {"t": "edit", "arguments": json.dumps(given | {"source": verdict.source}, ensure_ascii=False), **call}
