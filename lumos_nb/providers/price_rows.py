"""Prices that the table of `genai-prices` does not have, and the names under which it has the others.

One idea: a price is a fact with a source and a date. Where there is no source that can be relied
on there is no row, and the price is not known: so for Baidu's models.
"""

from __future__ import annotations

import msgspec


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """US dollars a million tokens."""

    input: float
    output: float
    #: Input that came from a cache; None: as other input.
    cache_read: float | None = None
    #: Input that was put into a cache; None: as other input.
    cache_write: float | None = None
    #: All output of an answer that was thought about first; None: as other output.
    thinking: float | None = None
    #: It holds for requests with more input tokens than this.
    above: int = 0


class PriceRow(msgspec.Struct, frozen=True, kw_only=True):
    """The price of one model, and who says so."""

    #: By `above`, lowest first.
    rates: tuple[Rate, ...]
    source: str
    #: When the source said so, as YYYY-MM-DD.
    date: str

    def rate(self, n_input: int) -> Rate:
        """Return the rate of a request with this much input."""
        return next((rate for rate in reversed(self.rates) if n_input > rate.above), self.rates[0])


TABLE_IDS = {
    "anthropic": "anthropic",
    "azure": "azure",
    "bedrock": "aws",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "google": "google",
    "groq": "groq",
    # The router's price is that of the host which the model's name ends in, as in `openai/gpt-oss-120b:groq`.
    "huggingface": "huggingface_{host}",
    "mistral": "mistral",
    "openai": "openai",
    "openrouter": "openrouter",
    "together": "together",
    "xai": "x-ai",
    "zai": "zai",
    "zhipu": "zhipuai",
}
"""Vendors by their ids in the table of `genai-prices`. It guesses at other names; it is not asked for those."""

_ALIBABA = (
    "help.aliyun.com/zh/model-studio/model-pricing, region Beijing, yuan turned into dollars by "
    "models.dev (providers/alibaba-cn)"
)
_HUAWEI = "mastra.ai/models, page of Huawei Cloud MaaS; rounded there"


def _qwen(*rates: Rate, date: str = "2026-11-21") -> PriceRow:
    return PriceRow(rates=rates, source=_ALIBABA, date=date)


def _huawei(input: float, output: float) -> PriceRow:
    return PriceRow(rates=(Rate(input=input, output=output),), source=_HUAWEI, date="2026-11-21")


PRICE_ROWS: dict[str, PriceRow] = {
    "qwen/qwen3.8-max": _qwen(Rate(input=1.65, output=4.951, cache_read=0.206, cache_write=2.0625), date="2026-08-04"),
    "qwen/qwen3.8-flash": _qwen(
        Rate(input=0.11905, output=0.40179, cache_read=0.01488, cache_write=0.18601), date="2026-08-28"
    ),
    "qwen/qwen3.7-max": _qwen(Rate(input=1.65, output=4.951, cache_read=0.33, cache_write=2.063)),
    "qwen/qwen3.7-plus": _qwen(
        Rate(input=0.276, output=1.101, cache_read=0.056, cache_write=0.344),
        Rate(input=0.826, output=3.301, cache_read=0.166, cache_write=1.032, above=256_000),
    ),
    "qwen/qwen3.7-flash": _qwen(
        Rate(input=0.03125, output=0.125, cache_read=0.003125, cache_write=0.0390625),
        Rate(input=0.09375, output=0.375, cache_read=0.009375, cache_write=0.1171875, above=32_000),
        Rate(input=0.1875, output=0.75, cache_read=0.01875, cache_write=0.234375, above=256_000),
        date="2026-07-27",
    ),
    "qwen/qwen3.6-flash": _qwen(
        Rate(input=0.165, output=0.99, cache_read=0.017, cache_write=0.206),
        Rate(input=0.66, output=3.961, cache_read=0.066, cache_write=0.825, above=256_000),
    ),
    "qwen/qwen3.5-plus": _qwen(
        Rate(input=0.115, output=0.688, thinking=3.44, cache_read=0.012, cache_write=0.143),
        Rate(input=0.287, output=1.72, thinking=3.44, cache_read=0.029, cache_write=0.358, above=128_000),
        Rate(input=0.573, output=3.44, thinking=3.44, cache_read=0.057, cache_write=0.717, above=256_000),
    ),
    "qwen/qwen3.5-flash": _qwen(
        Rate(input=0.029, output=0.287, thinking=1.72, cache_read=0.003, cache_write=0.036),
        Rate(input=0.115, output=1.147, thinking=1.72, cache_read=0.012, cache_write=0.143, above=128_000),
        Rate(input=0.172, output=1.72, thinking=1.72, cache_read=0.017, cache_write=0.215, above=256_000),
    ),
    "qwen/qwen3-max": _qwen(
        Rate(input=0.359, output=1.434, cache_read=0.072, cache_write=0.448),
        Rate(input=0.574, output=2.294, cache_read=0.115, cache_write=0.717, above=32_000),
        Rate(input=1.004, output=4.014, cache_read=0.201, cache_write=1.255, above=128_000),
    ),
    "qwen/qwen3-coder-plus": _qwen(
        Rate(input=0.574, output=2.294, cache_read=0.115, cache_write=0.718),
        Rate(input=0.861, output=3.441, cache_read=0.173, cache_write=1.077, above=32_000),
        Rate(input=1.434, output=5.735, cache_read=0.287, cache_write=1.793, above=128_000),
        Rate(input=2.868, output=28.671, cache_read=0.574, cache_write=3.585, above=256_000),
    ),
    "qwen/qwen-max": _qwen(Rate(input=0.345, output=1.377, cache_read=0.072)),
    "qwen/qwen-plus": _qwen(
        Rate(input=0.115, output=0.287, thinking=1.147, cache_read=0.023, cache_write=0.144),
        Rate(input=0.345, output=2.868, thinking=3.441, cache_read=0.069, cache_write=0.431, above=128_000),
        Rate(input=0.689, output=6.881, thinking=9.175, cache_read=0.138, cache_write=0.861, above=256_000),
    ),
    "qwen/qwen-flash": _qwen(
        Rate(input=0.022, output=0.216, cache_read=0.005, cache_write=0.028),
        Rate(input=0.087, output=0.861, cache_read=0.018, cache_write=0.109, above=128_000),
        Rate(input=0.173, output=1.721, cache_read=0.035, cache_write=0.216, above=256_000),
    ),
    "qwen/qwen-turbo": _qwen(Rate(input=0.044, output=0.087, thinking=0.431, cache_read=0.009)),
    "huawei/deepseek-v4-flash": _huawei(0.30, 0.60),
    "huawei/deepseek-v4.1-flash": _huawei(0.30, 1.00),
    "huawei/glm-5.1": _huawei(0.90, 4.00),
    "huawei/glm-5.2": _huawei(1.00, 4.00),
    "huawei/glm-5.3": _huawei(1.00, 4.00),
    "huawei/openpangu-2.0-flash": _huawei(0.12, 0.24),
    "huawei/openpangu-2.0-pro": _huawei(0.48, 2.00),
}
"""Prices of our own, by `vendor/model`."""
