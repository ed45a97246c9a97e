"""The orders of a shop, and a model that speaks of them: what the pictures of the documentation show."""

import json
import os
import tempfile
import time
from collections.abc import Sequence

import numpy as np
import pandas as pd

os.environ["LUMOS_DB"] = tempfile.mkdtemp() + "/shop.db"

from lumos_nb.events import TokenUsage
from lumos_nb.memory import Memory
from lumos_nb.messages import Message, ToolCall
from lumos_nb.stores import Insert
from lumos_nb.testing import Answer, ScriptedProvider

EARLIER = [
    ("Returns of sneakers", "analyst", 3, 9, 0.021, 2),
    ("Weekly report", "writer", 8, 27, 0.093, 5),
    ("Delayed parcels in the north", "analyst", 5, 14, 0.048, 24),
    ("Price list for July", "writer", 2, 6, 0.012, 49),
    ("Which customers left?", "analyst", 6, 19, 0.067, 74),
]
"""Threads of before: title, agent, runs, messages, dollars, hours ago."""

BY_REGION = """\
The **south** brings most: 44 % of the revenue, and the largest orders.

| region | revenue | average |
|---|---:|---:|
| south | $21,094 | $47.19 |
| north | $14,873 | $41.78 |
| west | $12,077 | $38.71 |

The west has as many orders as in April, each of them smaller."""

WEST = """\
Since **12 May** fewer orders of the west have shoes in them: 18 % against 31 % before. This shows it:

```python
shoes = west.groupby("day").shoes
shoes.mean().plot()
```

The other regions did not change."""

MEDIAN = """\
revenue = orders.groupby("region").amount.sum()
typical = orders.groupby("region").amount.median()
revenue.div(revenue.sum()).round(2)"""


class Played(ScriptedProvider):
    """A script that costs what the vendor's model costs."""

    provider = "anthropic"


def call(name: str, **given: object) -> ToolCall:
    return ToolCall(id=name, name=name, arguments=json.dumps(given))


def said(messages: Sequence[Message]) -> Answer:
    """Return what the model says to these messages."""
    used = TokenUsage(input_tokens=412 + 160 * len(messages), output_tokens=64)
    prompt = next(m.text for m in reversed(messages) if m.role == "user")
    if "cell" in prompt:
        return edited(messages)
    if "west" in prompt:
        return Answer(text=WEST, usage=used, tokens_per_s=30)
    if messages[-1].role == "tool":
        return Answer(text=BY_REGION, usage=used, tokens_per_s=30)
    thought = "Revenue by region is one question to the orders."
    return Answer(reasoning=thought, tool_calls=[call("revenue_by", column="region")], usage=used, tokens_per_s=30)


def edited(messages: Sequence[Message]) -> Answer:
    if messages[-1].role == "tool":
        return Answer(text="Done.")
    text = "The mean follows the few large orders, so I take the median."
    return Answer(text=text, tool_calls=[call("edit_cell", cell_id="regions", source=MEDIAN)])


def earlier() -> None:
    """Keep threads of before."""
    now = time.time_ns()
    Memory().store.write(
        [
            Insert("threads", {"thread_id": f"before-{i}", "title": title, "agent": agent, "status": "open",
                "created_at": now - hours * 3_600 * 10**9, "updated_at": now - hours * 3_600 * 10**9,
                "n_runs": runs, "n_messages": messages, "cost_usd": cost})
            for i, (title, agent, runs, messages, cost, hours) in enumerate(EARLIER)
        ]
    )  # fmt: skip


def orders_of_may() -> pd.DataFrame:
    """Return orders: day, region, amount, whether shoes are in them."""
    random = np.random.default_rng(5)
    region = np.repeat(["south", "north", "west"], [447, 356, 312])
    mean = np.repeat([47.19, 41.78, 38.71], [447, 356, 312])
    amount = random.gamma(4, mean / 4).round(2)
    for name, wanted in (("south", 47.19), ("north", 41.78), ("west", 38.71)):
        of = region == name
        amount[of] = (amount[of] * wanted / amount[of].mean()).round(2)
    days = pd.Timestamp("2026-05-01") + pd.to_timedelta(random.integers(0, 31, len(region)), "D")
    return pd.DataFrame({"day": days, "region": region, "amount": amount, "shoes": random.random(len(region)) < 0.3})


earlier()
orders_of_may().to_csv("orders.csv", index=False)
claude = Played(said, model="claude-sonnet-4-5")
