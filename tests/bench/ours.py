"""The project as a contender: an agent on the same server, the same prompt, the same tool."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lumos_nb as lumos
from lumos_nb.events import TextDelta
from tests.bench.bare import INSTRUCTIONS, lookup


class Ours:
    """Runs prompts on the server at `base_url`.

    Args:
        base_url: Where the server is.
        transport: aiohttp or httpx.
        is_recorded: Record each run into a database of its own, and attach what a view subscribes with.
    """

    def __init__(self, base_url: str, transport: str, *, is_recorded: bool = False) -> None:
        self.base_url = base_url
        self.folder = tempfile.TemporaryDirectory()
        self.models: dict[str, Any] = {}
        self.subscriber: Callable[[], dict[str, Any]] = dict
        lumos.configure(transport=transport, enable_telemetry=is_recorded, db=str(Path(self.folder.name) / "bench.db"))
        if is_recorded:
            from lumos_nb.widgets.live import RunView

            self.subscriber = lambda: {"on_events": RunView().on_events}

    def history(self, pairs: list[tuple[str, str]]) -> list[lumos.Message]:
        return [lumos.Message(role=role, content=text) for role, text in pairs]

    def agent(self, model: str) -> lumos.Agent:
        if model not in self.models:
            self.models[model] = lumos.llm(f"openai/{model}", base_url=self.base_url, api_key="none")
        return lumos.Agent("bench", model=self.models[model], instructions=INSTRUCTIONS, tools=[lookup])

    async def run(self, model: str, history: list[lumos.Message] | None = None) -> int:
        """Run one prompt to its end and return how many tokens came."""
        prompt = "Go on." if history is None else [*history, lumos.Message(role="user", content="Go on.")]
        n_tokens = 0
        async for event in self.agent(model).stream(prompt, **self.subscriber()):
            if type(event) is TextDelta:
                n_tokens += 1
        return n_tokens
