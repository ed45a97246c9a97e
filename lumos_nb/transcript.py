"""One run as a person reads it, folded from its events.

One idea: the live view, the saved output and the terminal all show the same document. It is
plain JSON data, the format `application/vnd.lumos.run+json`, versioned (`TRANSCRIPT_VERSION`):

```
{"v": 1, "run_id", "thread_id", "thread", "agent", "provider", "model", "prompt",
 "status": "running" | "completed" | "failed" | "cancelled",
 "state": what it waits for now, for example "waiting for the first token", or "",
 "started_at": unix seconds, "duration_s", "ttft_s", "tokens_per_s", "cost_usd", "stop_reason",
 "usage": {"input_tokens", "output_tokens", …}, "n_steps", "n_tool_calls",
 "n_retries", "in_place_of": [models that could not answer],
 "n_replayed": answers that were played from a tape; absent where none was,
 "error": {"type", "message", "hint"} | null,
 "items": [ {"kind": "text", "text"}
          | {"kind": "reasoning", "text", "duration_s"}
          | {"kind": "tool", "call_id", "name", "arguments": JSON text, "status", "started_at",
             "duration_s", "content", "display": MIME bundle, "size_bytes",
             "error_type", "traceback", "output": [what it printed and displayed, see `outputs`],
             "state": what it waits for while it runs, or "",
             "question": {"reason", "schema": JSON schema, "asked_at": unix seconds} while it waits for
                         a person, and for good if the run ended before an answer,
             "decision": {"decision", "by", "reason", "asked": arguments before a person changed them}}
          | {"kind": "user", "text"} what a person said while the agent worked ]}
```
An item may have `"open": bool`, if a person opened or closed it.
A tool's `status` is running, waiting, ok, error, denied or cancelled. `apply` is the only place
that knows how an event changes the document; views draw what it says.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from lumos_nb import clock
from lumos_nb.events import (
    AgentEvent,
    AgentStep,
    ApprovalDecided,
    ApprovalRequested,
    Error,
    GenerationComplete,
    Metadata,
    ReasoningDelta,
    RunStart,
    StepComplete,
    StepStart,
    TextDelta,
    TokenUsage,
    ToolCallComplete,
    ToolCallStart,
    ToolOutput,
    UserMessage,
    total_cost_usd,
)
from lumos_nb.outputs import add_output, update_display

TRANSCRIPT_VERSION = 1
MIME = "application/vnd.lumos.run+json"


class Transcript:
    """The document of one run, changed by each event.

    Example:
        >>> t = Transcript()
        >>> t.apply([TextDelta("Hel"), TextDelta("lo")])
        >>> t.doc["items"]
        [{'kind': 'text', 'text': 'Hello'}]
    """

    def __init__(self, thread: str = "") -> None:
        self.doc: dict[str, Any] = {
            "v": TRANSCRIPT_VERSION, "run_id": "", "thread_id": None, "thread": thread, "agent": "",
            "provider": "", "model": "", "prompt": "", "status": "running", "state": "connecting",
            "started_at": clock.time(), "duration_s": None, "ttft_s": None, "tokens_per_s": None,
            "cost_usd": None, "stop_reason": "", "usage": msgspec.to_builtins(TokenUsage()),
            "n_steps": 0, "n_tool_calls": 0, "n_retries": 0, "in_place_of": [], "error": None, "items": [],
        }  # fmt: skip
        self._at: float | None = None
        self._steps: list[AgentStep] = []
        self._reasoning_since: float | None = None
        self._is_new = False
        self._step = 0
        self._replayed: set[int] = set()
        #: The model that the run asks first, and the one that is asked now.
        self._first = self._asked = ""

    def apply(self, events: Iterable[AgentEvent]) -> None:
        """Fold events into the document, in their order."""
        for event in events:
            self._apply(event)

    def apply_at(self, events: Iterable[AgentEvent], at: float) -> None:
        """Fold events that came at a time, in Unix seconds, which is over: those of a log."""
        self._at = at
        self.apply(events)
        self._at = None

    def _now(self) -> float:
        return clock.time() if self._at is None else self._at

    def _apply(self, event: AgentEvent) -> None:
        doc = self.doc
        if not isinstance(event, ReasoningDelta):
            self._end_reasoning()
        match event:
            case TextDelta():
                self._append("text", event.delta)
            case ReasoningDelta():
                self._reasoning_since = self._reasoning_since or self._now()
                self._append("reasoning", event.delta)
            case RunStart():
                doc.update({f: getattr(event, f) for f in event.__struct_fields__ if f in doc})
                self._first = event.model
            case StepStart():
                self._step = event.index
                doc["state"] = "waiting for the first token"
                self._asked = self._first
                self._is_new = True  # what another model call says is a text of its own
            case ApprovalRequested():
                asked = {"reason": event.reason, "schema": event.schema, "asked_at": self._now()}
                self._tool(event.call).update(status="waiting", question=asked)
                doc["state"] = "waiting for you"
            case ApprovalDecided():
                self._decided(event)
            case UserMessage():
                doc["items"].append({"kind": "user", "text": event.text})
            case ToolCallStart():
                self._tool(event.call).update(status="running", started_at=self._now())
                doc["state"] = "waiting for you" if self._is_asking() else ""
            case ToolOutput():
                self._output(event)
            case ToolCallComplete():
                self._complete(event)
            case StepComplete():
                self._steps.append(event.step)
                self._play(event.step.index, event.step.tape)
                if event.step.model:
                    doc.update(provider=event.step.provider, model=event.step.model)
                self._total()
            case GenerationComplete():
                doc.update(status="completed", state="", stop_reason=event.result.stop_reason,
                           duration_s=event.result.duration_s)  # fmt: skip
            case Error():
                doc.update(status=event.status, state="", error=msgspec.to_builtins(event.error),
                           duration_s=self._now() - doc["started_at"])  # fmt: skip
                for item in doc["items"]:
                    if item["kind"] == "tool" and item["status"] in {"running", "waiting"}:
                        item["status"] = "cancelled"
            case Metadata():
                doc["state"] = event.data.get("state", doc["state"])
                self._held_up(event.data)
            case _:
                pass

    def _append(self, kind: str, delta: str) -> None:
        items = self.doc["items"]
        self.doc["state"] = ""
        if items and items[-1]["kind"] == kind and not self._is_new:
            items[-1]["text"] += delta
        elif kind == "reasoning":
            items.append({"kind": kind, "text": delta, "duration_s": None})
        else:
            items.append({"kind": kind, "text": delta})
        self._is_new = False

    def _held_up(self, data: dict[str, Any]) -> None:
        """Keep what a wait leaves behind: how often it was tried again, and who answers in whose place."""
        match data.get("kind"):
            case "retry":
                self.doc["n_retries"] += 1
            case "fallback":
                if self._asked not in self.doc["in_place_of"]:
                    self.doc["in_place_of"].append(self._asked)
                self.doc["provider"], _, self.doc["model"] = data["model"].partition("/")
                self._asked = self.doc["model"]
            case "replayed":
                self._play(self._step, data["tape"])
            case "restart":
                self._restart()
            case "resumed":  # the time in which nobody worked does not count
                self.doc.update(status="running", error=None, started_at=self.doc["started_at"] + data["away_s"])

    def _play(self, step: int, tape: str) -> None:
        """Note whether the answer of a step comes from a tape."""
        (self._replayed.add if tape else self._replayed.discard)(step)
        if self._replayed or "n_replayed" in self.doc:
            self.doc["n_replayed"] = len(self._replayed)

    def _restart(self) -> None:
        """Leave half an answer as it was seen, and begin anew below it."""
        items = self.doc["items"]
        if items and items[-1]["kind"] == "text":
            items[-1]["text"] += " …\n\n*(It broke off here; the answer begins again.)*"
        self._is_new = True

    def _end_reasoning(self) -> None:
        if self._reasoning_since is not None:
            self.doc["items"][-1]["duration_s"] = self._now() - self._reasoning_since
            self._reasoning_since = None

    def _find(self, call_id: str) -> dict[str, Any] | None:
        return next((i for i in self.doc["items"] if i.get("call_id") == call_id), None)

    def _tool(self, call: Any) -> dict[str, Any]:
        item = self._find(call.id)
        if item is None:
            item = {
                "kind": "tool", "call_id": call.id, "name": call.name, "arguments": call.arguments,
                "status": "running", "started_at": self._now(), "duration_s": None, "content": "",
                "display": {}, "size_bytes": 0, "error_type": None, "traceback": None, "output": [],
            }  # fmt: skip
            self.doc["items"].append(item)
            self.doc["n_tool_calls"] += 1
        return item

    def _decided(self, event: ApprovalDecided) -> None:
        item = self._find(event.call_id)
        if item is not None:
            item["decision"] = {"decision": event.decision, "by": event.by, "reason": event.reason}
            item.pop("question", None)
            item["status"] = "denied" if event.decision == "deny" else "running"
            if event.arguments is not None:
                item["decision"]["asked"] = item["arguments"]
                item["arguments"] = event.arguments
        self.doc["state"] = "waiting for you" if self._is_asking() else ""

    def _is_asking(self) -> bool:
        return any(item.get("status") == "waiting" for item in self.doc["items"])

    def _output(self, event: ToolOutput) -> None:
        if event.kind == "update":  # of what any tool displayed
            for item in self.doc["items"]:
                update_display(item.get("output", []), event)
        elif (item := self._find(event.call_id)) is None:
            return
        elif event.kind == "state":
            item["state"] = event.text
        else:
            add_output(item["output"], event)

    def _complete(self, event: ToolCallComplete) -> None:
        item = self._find(event.call_id)
        if item is not None:
            r = event.result
            item.update(
                status=event.status, duration_s=event.duration_s, content=r.content, display=r.display,
                size_bytes=r.size_bytes, error_type=r.error_type, traceback=r.traceback,
            )  # fmt: skip
            if self.doc["state"] == "waiting for you" and not self._is_asking():
                self.doc["state"] = ""

    def _total(self) -> None:
        steps, doc = self._steps, self.doc
        usage = sum((s.usage for s in steps), TokenUsage())
        # A step that only calls a tool comes in one piece: it has no speed, nor has one that is played in no time.
        streamed = [s for s in steps if s.tokens_per_s is not None and (not s.tape or clock.is_virtual())]
        seconds = sum(s.duration_s - s.ttft_s for s in streamed if s.ttft_s is not None)
        written = sum(s.usage.output_tokens for s in streamed)
        doc.update(
            usage=msgspec.to_builtins(usage), n_steps=len(steps), ttft_s=steps[0].ttft_s,
            cost_usd=total_cost_usd(steps),
            tokens_per_s=written / seconds if seconds > 0 else None,
        )  # fmt: skip
