"""`%%agent --dry-run`: what a cell would send, and what that may cost.

One idea: it is the run's own beginning, made and not begun; nothing is asked, recorded or created.
"""

from __future__ import annotations

import json

import msgspec

from lumos_nb.agent.state import LoopState
from lumos_nb.events import TokenUsage
from lumos_nb.messages import Message, ToolResult
from lumos_nb.notebook.request import PromptRequest
from lumos_nb.notebook.shown import Shown
from lumos_nb.phrases import count, price

BYTES_A_TOKEN = 4
"""As a rule of thumb, over text of most languages; a vendor counts otherwise."""
ANSWER_TOKENS = 1_000
"""A long answer, for the upper end of what a step may cost."""
PREVIEW_CHARS = 160


def dry_run(request: PromptRequest) -> Shown:
    """Return what the cell would send, as text that the cell shows."""
    state = request.preview()
    n_tokens = estimated_tokens(state)
    model = f"{state.provider.provider}/{state.provider.model}"
    thread = request.thread_title or ("a new one" if request.options.new else "none yet")
    rows = [
        ("agent", request.agent.name), ("model", model), ("thread", thread),
        ("input", f"about {n_tokens:,} tokens in {count(len(state.messages), 'message')}"),
        ("tools", ", ".join(tool.name for tool in state.tools) or "none"),
        ("cost", _cost(state, n_tokens)),
    ]  # fmt: skip
    table = ["| would send | |", "|---|---|", *(f"| {name} | {_in_cell(value)} |" for name, value in rows)]
    listed = [f"- **{m.role}** {_in_line(m)}" for m in state.messages]
    return Shown("\n".join([*table, "", *listed, "", "Nothing was sent."]))


def estimated_tokens(state: LoopState) -> int:
    """Return about how many tokens the first model call takes in: messages and tools, pictures not counted."""
    texts = [_text(message) for message in state.messages]
    tools = [json.dumps(msgspec.to_builtins(tool.spec), default=str) for tool in state.tools]
    return sum(len(text.encode(errors="replace")) for text in (*texts, *tools)) // BYTES_A_TOKEN + 4 * len(texts)


def cost_range(state: LoopState, n_tokens: int) -> tuple[float, float] | None:
    """Return what a run may cost in US dollars, from one short answer to a long one at each step; None: not known."""
    short = state.price(state.provider.provider, state.provider.model, TokenUsage(input_tokens=n_tokens))
    n_steps = state.max_steps if len(state.tools) else 1
    long = TokenUsage(
        input_tokens=sum(n_tokens + step * ANSWER_TOKENS for step in range(n_steps)),
        output_tokens=n_steps * ANSWER_TOKENS,
    )
    most = state.price(state.provider.provider, state.provider.model, long)
    if short is None or most is None:
        return None
    return short, most if state.max_cost_usd is None else max(short, min(most, state.max_cost_usd))


def _cost(state: LoopState, n_tokens: int) -> str:
    found = cost_range(state, n_tokens)
    if found is None:
        return "not known; the setting `prices` can name what the model costs"
    if found[1] == 0:
        return "nothing"
    steps = count(state.max_steps, "step") if len(state.tools) else "1 step"
    return f"{price(found[0])} to {price(found[1])} ({steps} of {ANSWER_TOKENS:,} tokens at most)"


def _text(message: Message) -> str:
    if isinstance(message.content, str):
        return message.content
    results = [part.content for part in message.parts if isinstance(part, ToolResult)]
    return "".join([message.text, *(call.name + call.arguments for call in message.tool_calls), *results])


def _in_line(message: Message) -> str:
    text = " ".join(_text(message).split())
    cut = text if len(text) <= PREVIEW_CHARS else f"{text[: PREVIEW_CHARS - 1]}…"
    return f"({len(_text(message)):,} characters) `{cut.replace('`', chr(39))}`" if cut else ""


def _in_cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
