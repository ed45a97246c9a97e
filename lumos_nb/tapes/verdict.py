"""What is wrong with what was asked of a deck, and the command that mends it.

One idea: nothing is decided here that a deck does not show; it is the same for a notebook, a test and a person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumos_nb.errors import NetworkForbidden, TapeDrift, TapeError, TapeMiss, TapeUnused
from lumos_nb.tapes.asked import described
from lumos_nb.tapes.format import RequestLine
from lumos_nb.tapes.missing import asked_too_often, difference, has_grown, listed
from lumos_nb.tapes.scenes import Scene

if TYPE_CHECKING:
    from lumos_nb.tapes.deck import Deck


def miss_of(deck: Deck, request: RequestLine, scene: Scene, n_recorded: int) -> TapeMiss:
    """Return the error for a request that is not on the tape, or was there `n_recorded` times and is used up."""
    if not deck.tape.interactions and not deck.path.exists():
        lost = "Was it deleted? Git has it. Was the notebook renamed? Rename the tape, too. Else record it: "
        hint = ("Record it: " if deck.remedy else lost) + remedy(deck, scene)
        return TapeMiss(f"There is no tape {str(deck.path)!r} to play.", hint=hint)
    said = asked_too_often(request, n_recorded) or difference(request, deck.tape.interactions, scene)
    hint = f"Record it: {remedy(deck, scene, 'refresh')}"
    if has_grown(request, deck.tape.interactions, scene):
        hint = f"Its thread has gone on since: begin it anew, with --new in its first cell. {hint}"
    return TapeMiss(f"This request is not on the tape {deck.name!r}. {said}", hint=hint)


def verdict(deck: Deck) -> TapeError | None:
    """Return what is wrong at the end, the worst first: the network, then answers, then what was never asked for."""
    if deck.mode == "replay-strict" and deck.tried:
        return NetworkForbidden(
            f"Other machines were to be reached while the tape {deck.name!r} was played: {listed(deck.tried)}.",
            hint="Allow them with tape_hosts, or tag the cells lumos-live.",
        )
    if deck.drifts:
        return TapeDrift(
            f"What is answered now has another form than on the tape {deck.name!r}: {listed(deck.drifts)}.",
            hint=f"Look at what changed, then record it anew: {remedy(deck)}",
        )
    if deck.is_folder or deck.mode in {"off", "record", "refresh"}:
        return None
    left = [described(each.request) for each in deck.unplayed()]
    left += [f"a call of {line.name!r}{f' in cell {line.cell!r}' * bool(line.cell)}" for line in deck.tools.unplayed()]
    if not left:
        return None
    return TapeUnused(
        f"{len(left)} of what is on the tape {deck.name!r} was never asked for: {listed(left)}.",
        hint=f"If it is no longer to be asked, drop it: {remedy(deck, how='refresh')}",
    )


def remedy(deck: Deck, scene: Scene | None = None, how: str = "record") -> str:
    """Return the command that records the tape anew; by refresh only what is not on it."""
    if deck.remedy:
        return deck.remedy
    if deck.notebook:
        is_live = scene is not None and scene.cell and deck.mode != "replay-strict"
        named = deck.named if " " not in deck.named else f'"{deck.named}"'
        return ("%%agent --record in this cell, or " if is_live else "") + f"lumos test --{how} {named}"
    if deck.is_folder:
        return "lumos test --record NOTEBOOK"
    return f"set LUMOS_TAPE={how} and LUMOS_TAPE_FILE={deck.path}"
