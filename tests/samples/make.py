"""Write the sample of a database. Run once for each version of its tables, never again for an old one.

Messages, events and transcripts are still of version 1: their samples were written with it.

PYTHONPATH=. python tests/samples/make.py
"""

import asyncio
import sqlite3
import tempfile
from pathlib import Path

from lumos_nb import events as e
from lumos_nb.memory import Memory, RunInfo, Said
from lumos_nb.memory.snapshots import AgentSnapshot
from lumos_nb.messages import (
    ImagePart,
    Message,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolResult,
    ToolSpec,
)
from lumos_nb.providers.exchange import Exchange
from lumos_nb.stores import SqliteStore
from lumos_nb.transport import Request, Response

HERE = Path(__file__).parent / "v3"
CALL = ToolCall(id="call_0", name="rows", arguments='{"limit": 1}')
RESULT = ToolResult(call_id="call_0", name="rows", content="42", display={"text/html": "<b>42</b>"}, size_bytes=2)
MESSAGES = [
    Message(role="system", content="Be short."),
    Message(role="user", content=(TextPart("Look 🎉"), ImagePart(data=b"\x89PNG"), ImagePart(url="https://x/y.png"))),
    Message(role="assistant", content=(ReasoningPart("hm", signature="s", provider="p"), TextPart("a"), CALL)),
    Message(role="tool", content=(RESULT,)),
]
STEP = e.AgentStep(
    index=1, text="a", tool_calls=(CALL,), tool_results=(RESULT,), cost_usd=0.25, provider="p", model="m", ttft_s=0.1,
    usage=e.TokenUsage(input_tokens=10, output_tokens=3), stop_reason="stop", started_at=1.5e9, duration_s=1.0,
)  # fmt: skip
EVENTS = [
    e.RunStart(run_id="r1", thread_id="t1", agent="a", provider="p", model="m", prompt="Look", started_at=1.5e9),
    e.MemoryUpdate(action="loaded", n_messages=0),
    e.StepStart(1),
    e.ReasoningDelta("hm"),
    e.TextDelta("a"),
    e.ApprovalRequested(CALL, reason="unsafe"),
    e.ToolCallStart(CALL),
    e.ToolOutput(call_id="call_0", kind="stdout", text="printed\n"),
    e.ToolCallComplete("call_0", RESULT, 0.5),
    e.Metadata({"state": "saving"}),
    e.StepComplete(STEP),
    e.GenerationComplete(e.AgentGenerateResult(response="a", steps=(STEP,), usage=STEP.usage, run_id="r1")),
    e.Error(error=e.ErrorInfo(type="StreamError", message="It broke off.", hint="Again."), status="cancelled"),
]


async def fill(store):
    tool = ToolSpec(name="rows", description="First rows.")
    info = RunInfo(
        run_id="r1", thread_id="t1", agent="a", prompt="Look", notebook="book.ipynb", cell_id="c1", execution_count=3,
        config=AgentSnapshot("a", "Be short.", [tool]), source_hash="0123456789abcdef", names_read=("orders",),
    )  # fmt: skip
    log = Memory(store).run_log(info)
    await log.start()
    for text in ("Look", "Look again"):
        request = Request(url="http://127.0.0.1:1/v1", headers={"accept": "*/*"}, body=f'{{"ask": "{text}"}}'.encode())
        with Exchange(request, request.url, None, log.keep) as exchange:
            exchange.answered(Response(status=200, headers={"server": "x"}, chunks=None))(b"data: 42\n\n")
    await log.append(EVENTS[:-1], [Said(message, 1, 1.5e9) for message in MESSAGES])


def main():
    HERE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "lumos.db")
        asyncio.run(fill(store))
        store.close()
        raw = sqlite3.connect(store.path)
        numbers = [
            f"PRAGMA {p} = {raw.execute(f'PRAGMA {p}').fetchone()[0]};" for p in ("application_id", "user_version")
        ]
        (HERE / "store.sql").write_text("\n".join([*numbers, *raw.iterdump()]) + "\n")
        raw.close()


if __name__ == "__main__":
    main()
