"""Charts of what was recorded: `lumos.plot.cost()`, `tokens`, `latency`, `ttft`, `tools`, `context`, `compare`.

One idea: a chart is a small tidy DataFrame, `.data`, and a picture of it. What is drawn is counted
before, so a chart of a hundred thousand runs is as light as one of ten.

Each takes the filters of the frames (`last="7d"`, `agent="analyst"` …) or a DataFrame of theirs, and
`backend="altair"` for a chart that answers to the mouse. Needs `pip install "lumos-nb[plot]"`.
"""

from __future__ import annotations

from lumos_nb.plot._chart import Chart
from lumos_nb.plot._compare import compare
from lumos_nb.plot._context import context
from lumos_nb.plot._spread import latency, ttft
from lumos_nb.plot._time import cost, tokens
from lumos_nb.plot._tools import tools

__all__ = ["Chart", "compare", "context", "cost", "latency", "tokens", "tools", "ttft"]
