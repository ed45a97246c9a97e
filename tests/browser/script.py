# ruff: noqa: E501 (texts and scripts of pages stand on one line)
"""A scripted run for the page: the events of an agent, fed from a thread as the core does."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Literal

from lumos_nb.agent.approval import Decision, Question
from lumos_nb.events import (
    AgentEvent,
    AgentGenerateResult,
    AgentStep,
    ApprovalDecided,
    ApprovalRequested,
    Error,
    ErrorInfo,
    GenerationComplete,
    Metadata,  # noqa: F401  # for the cells that import all of this
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
)
from lumos_nb.messages import ToolCall, ToolResult
from lumos_nb.tools import Tool
from lumos_nb.widgets.live import RunView


class Until:
    """A place in a script that waits for something."""

    def __init__(self, is_over: Callable[[Any], bool]) -> None:
        self.is_over = is_over


def Answered(call_id: str) -> Until:  # noqa: N802  stands in scripts beside events
    return Until(lambda view: call_id in view.decided)


Timed = tuple[float, AgentEvent | Until]
TABLE = (
    '<table border="1" class="dataframe"><thead><tr style="text-align: right;"><th></th><th>customer</th><th>total</th></tr></thead>'
    "<tbody><tr><th>0</th><td>Ada</td><td>42.10</td></tr><tr><th>1</th><td>Grace</td><td>17.00</td></tr>"
    "<tr><th>2</th><td>Edsger</td><td>99.95</td></tr></tbody></table>"
)
ANSWER = """The average order is **$42.10**, and the median is $31.00 over `1,204` rows.

| region | orders | mean |
|:-------|-------:|-----:|
| north  |    312 | 40.2 |
| south  |    892 | 42.9 |

The deviation is $\\sigma = \\sqrt{\\frac{1}{n}\\sum_{i=1}^{n}(x_i - \\bar{x})^2}$, and

$$
\\bar{x} = \\frac{1}{n} \\sum_{i} x_{i}
$$

1. Load the *orders*
2. Group them
   - by region
   - by month

```python
def mean(frame, by="region"):
    # one figure a group
    return frame.groupby(by)["total"].mean().round(2)
```

> Figures are rounded. See [the notes](https://example.org/notes).
"""


def start() -> list[Timed]:
    return [
        (0, RunStart(run_id="r1", thread_id="t1", agent="analyst", provider="test", model="test-model-5",
                     prompt="What is the average order?", started_at=time.time())),
        (0, StepStart(1)),
    ]  # fmt: skip


def tokens(text: str, rate: float, size: int = 4) -> list[Timed]:
    return [(1 / rate, TextDelta(text[i : i + size])) for i in range(0, len(text), size)]


def tool(call_id: str, result: dict[str, Any], arguments: str = '{"table": "orders", "limit": 5}', name: str = "rows",
         wait: float = 0.4, output: Iterable[ToolOutput] = (), content: str = "3 rows", **more: Any) -> list[Timed]:  # fmt: skip
    call = ToolCall(id=call_id, name=name, arguments=arguments)
    status = more.pop("status", "ok")
    return [
        (0.05, ToolCallStart(call)), *((0.05, o) for o in output),
        (wait, ToolCallComplete(call_id, ToolResult(call_id, name, content, display=result, **more), 0.031, status)),
    ]  # fmt: skip


def export(
    table: str, sql: str = "", limit: int = 5, ratio: float | None = None, dry_run: bool = False,
    form: Literal["csv", "parquet"] = "csv", columns_to_write: list[str] | None = None,
) -> str:  # fmt: skip
    """Write a table to a file.

    Args:
        table: Name of the table in the warehouse.
        limit: Most rows to write.
    """
    return table


EXPORT = Tool(export)
ARGUMENTS = '{"table": "orders", "sql": "select *\\nfrom orders", "limit": 500, "dry_run": true, "columns_to_write": ["id", "total"]}'


def ask(call_id: str, arguments: str = ARGUMENTS, reason: str = "It writes files.", wait: bool = True) -> list[Timed]:
    call = ToolCall(id=call_id, name="export", arguments=arguments)
    asked = (0.1, ApprovalRequested(call, reason, EXPORT.spec.parameters))
    return [asked, (0, Answered(call_id))] if wait else [asked]


def finish(n_tokens: int = 412, cost: float | None = 0.0042) -> list[Timed]:
    usage = TokenUsage(input_tokens=812, output_tokens=n_tokens)
    step = AgentStep(index=1, usage=usage, cost_usd=cost, ttft_s=0.42, duration_s=4.0)
    return [
        (0, StepComplete(step)),
        (0, GenerationComplete(AgentGenerateResult(response="", duration_s=4.1, usage=usage))),
    ]


def failure(status: str = "failed") -> list[Timed]:
    info = ErrorInfo(type="CredentialError", message="Provider 'test' refused the key at https://example.org/v1 (401).",
                     hint="Set TEST_API_KEY, or run %lumos login test.")  # fmt: skip
    return [(0.1, Error(error=info, status=status))]


def story(rate: float = 200) -> list[Timed]:
    """A whole run: reasoning, text, a tool with a table, a failing tool, an answer."""
    return [
        *start(), (0.3, ReasoningDelta("The person wants a mean. ")), (0.3, ReasoningDelta("Look at the *table* first.")),
        *tokens("I'll look at the orders first.", rate),
        *tool("c1", {"text/html": TABLE, "text/plain": "…"}, output=[ToolOutput("c1", "stdout", "reading orders …\n")]),
        *tool("c2", {}, '{"sql": "select * from nosuch"}', "query", content="no such table: nosuch", status="error",
              is_error=True, error_type="OperationalError",
              traceback="OperationalError: no such table: nosuch\n  File \"<cell>\", line 3, in query\n    return db.execute(sql)\n"),
        *tokens(ANSWER, rate), *finish(),
    ]  # fmt: skip


def feed(view: RunView, script: list[Timed], stop: threading.Event) -> None:
    due = time.monotonic()
    for delay, event in script:
        due += delay
        if (left := due - time.monotonic()) > 0:
            stop.wait(left)
        while isinstance(event, Until) and not stop.wait(0.02) and not event.is_over(view):
            pass
        if stop.is_set():
            view.on_events([Error(error=ErrorInfo(type="Stopped", message="Stopped."), status="cancelled")])
            return
        if not isinstance(event, Until):
            view.on_events(outcome(view, event))


def outcome(view: Any, event: AgentEvent) -> list[AgentEvent]:
    """Return what comes of an event of a tool call that may have been denied."""
    is_call = isinstance(event, ToolCallStart | ToolOutput | ToolCallComplete)
    call_id = event.call.id if isinstance(event, ToolCallStart) else getattr(event, "call_id", "")
    if not is_call or call_id not in view.denied:
        return [event]
    if not isinstance(event, ToolCallComplete):
        return []
    told = ToolResult(call_id, event.result.name, f"The person denied this call: {view.denied[call_id]}", is_error=True)
    return [ToolCallComplete(call_id, told, 0.0, "denied")]


async def play(script: list[Timed], thread: str = "sales", close: bool = True, **options: Any) -> RunView:
    """Show a script in the current cell, fed from a thread while the cell awaits."""
    view, worker = begin(script, thread, **options)
    while worker.is_alive():
        await asyncio.sleep(0.02)
    if close:
        view.close()
    return view


def block(script: list[Timed]) -> None:
    """Show a script while the cell blocks the kernel's main thread."""
    view, worker = begin(script, "sales")
    worker.join()
    view.close()


def begin(script: list[Timed], thread: str, **options: Any) -> tuple[RunView, threading.Thread]:
    view, stop = RunView(thread, **options), threading.Event()
    view.actions, view.decided, view.denied = [], set(), {}  # type: ignore[attr-defined]
    view.on_action(lambda action: act(view, stop, action))
    view.open()
    worker = threading.Thread(target=feed, args=(view, script, stop), daemon=True)
    worker.start()
    return view, worker


def act(view: Any, stop: threading.Event, action: dict[str, Any]) -> str:
    """Do with an action what a run does, and return what is wrong with it."""
    view.actions.append(action)
    if action["t"] == "stop":
        stop.set()
    elif action["t"] == "steer":
        view.on_events([UserMessage(action["text"])])
    else:
        return decide(view, **action)
    return ""


def decide(view: Any, t: str, call_id: str, arguments: str = "", reason: str = "") -> str:
    if call_id in view.decided:
        return "This call is already decided."
    call = ToolCall(id=call_id, name="export", arguments="{}")
    decision = Decision(decision=t, arguments=arguments, reason=reason)  # type: ignore[arg-type]
    if problem := Question(call, EXPORT).problem_of(decision):
        return problem
    view.on_events([ApprovalDecided(call_id=call_id, decision=t, arguments=arguments or None, reason=reason)])
    if t == "deny":
        view.denied[call_id] = reason
    view.decided.add(call_id)
    return ""
