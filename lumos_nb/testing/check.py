"""What a run did, asserted in a line: `check(result).called_tool("rows", table="orders").cost_at_most(0.01)`.

One idea: a check that fails shows the run beside what was expected of it; nobody has to print anything first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lumos_nb.events import AgentGenerateResult
from lumos_nb.messages import ToolCall

_LONGEST = 100


class Checked:
    """A run whose behaviour is asserted; each method returns it, so that they chain."""

    def __init__(self, run: AgentGenerateResult) -> None:
        self.run = run

    def called_tool(self, name: str, *, times: int | None = None, **arguments: Any) -> Checked:
        """Assert that a tool was called with at least these arguments.

        Args:
            name: The tool.
            times: How often; None: at least once.
            arguments: Arguments and their values; others may have been there, too.
        """
        found = [call for call in self._calls() if call.name == name and _fits(call, arguments)]
        is_right = bool(found) if times is None else len(found) == times
        return self._be(is_right, f"a call of {_written(name, arguments)}{'' if times is None else f', {times} times'}")

    def did_not_call(self, name: str) -> Checked:
        """Assert that a tool was never called."""
        return self._be(all(call.name != name for call in self._calls()), f"no call of {name}")

    def called_in_order(self, *names: str) -> Checked:
        """Assert that tools were called in this order; others may have been called in between."""
        called: Iterator[str] = (call.name for call in self._calls())
        return self._be(all(name in called for name in names), f"calls in the order {', '.join(names)}")

    def had_no_tool_errors(self) -> Checked:
        """Assert that every tool call went well."""
        failed = [r.name for step in self.run.steps for r in step.tool_results if r.is_error]
        return self._be(not failed, f"no failing tool, but {', '.join(failed)} failed")

    def said(self, pattern: str) -> Checked:
        """Assert that the answer holds a text; a regular expression, letter case does not count."""
        return self._be(re.search(pattern, self.run.response, re.IGNORECASE) is not None, f"an answer with {pattern!r}")

    def ended(self, stop_reason: str) -> Checked:
        """Assert why the run ended: stop, length, max_steps …"""
        return self._be(self.run.stop_reason == stop_reason, f"an end by {stop_reason!r}")

    def steps_at_most(self, n: int) -> Checked:
        """Assert that at most `n` model calls were needed."""
        return self._be(len(self.run.steps) <= n, f"at most {n} steps")

    def tokens_at_most(self, n: int) -> Checked:
        """Assert that at most `n` tokens went in and out."""
        return self._be(self.run.usage.total_tokens <= n, f"at most {n} tokens")

    def cost_at_most(self, usd: float) -> Checked:
        """Assert what the run cost at most, in US dollars; one whose price is not known fails.

        A replayed run costs nothing: check the cost where the tape is recorded, or `tokens_at_most` everywhere.
        """
        cost = self.run.cost_usd
        return self._be(cost is not None and cost <= usd, f"a cost of at most ${usd:g}")

    def _calls(self) -> list[ToolCall]:
        return [call for step in self.run.steps for call in step.tool_calls]

    def _be(self, is_right: bool, expected: str) -> Checked:
        __tracebackhide__ = True  # pytest then shows the line of the test
        if not is_right:
            raise AssertionError(f"Expected {expected}.\n{story(self.run)}")
        return self


def check(run: AgentGenerateResult) -> Checked:
    """Return a run whose behaviour can be asserted.

    Example:
        >>> from lumos_nb import Agent
        >>> from lumos_nb.testing import ScriptedProvider
        >>> result = Agent("a", model=ScriptedProvider(["Hello Ada"])).generate_sync("Hi")
        >>> check(result).said("ada").steps_at_most(1).did_not_call("rows").run.response
        'Hello Ada'
    """
    return Checked(run)


def story(run: AgentGenerateResult) -> str:
    """Return what a run did, a line each.

    Example:
        >>> print(story(AgentGenerateResult(response="Hello", agent="a", model="m")))
        The run of 'a' on m: 0 steps, 0 tokens, cost unknown, ended by 'stop'
          said: Hello
    """
    cost = "cost unknown" if run.cost_usd is None else f"${run.cost_usd:.6g}"
    n = len(run.steps)
    head = f"{n} step{'' if n == 1 else 's'}, {run.usage.total_tokens} tokens, {cost}, ended by {run.stop_reason!r}"
    lines = [f"The run of {run.agent!r} on {run.model}: {head}"]
    for step in run.steps:
        results = {result.call_id: result for result in step.tool_results}
        for call in step.tool_calls:
            result = results.get(call.id)
            told = "no result" if result is None else ("failed: " if result.is_error else "") + _short(result.content)
            lines.append(f"  called {call.name}({_short(call.arguments)}) → {told}")
    return "\n".join([*lines, f"  said: {_short(run.response) or 'nothing'}"])


def _fits(call: ToolCall, arguments: dict[str, Any]) -> bool:
    try:
        given = call.parsed()
    except ValueError:
        return False
    return isinstance(given, dict) and all(name in given and given[name] == value for name, value in arguments.items())


def _written(name: str, arguments: dict[str, Any]) -> str:
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})" if arguments else name


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
