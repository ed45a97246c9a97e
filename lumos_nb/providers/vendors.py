"""The vendors, as rows.

One idea: a vendor is data. A new one that speaks a known format is one more row, and what it
does differently from others is in its `Quirks`.
"""

from __future__ import annotations

import msgspec

from lumos_nb.providers.wire.base import Quirks


class Vendor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a vendor's models are and how they are asked."""

    id: str
    #: Address up to the version; empty: it must be given.
    base_url: str = ""
    #: Environment variables that may hold the key, the usual one first.
    key_env: tuple[str, ...] = ()
    #: Environment variable that overrides `base_url`.
    base_url_env: str = ""
    format: str = "openai-chat"
    quirks: Quirks = Quirks()
    #: Model to use when only the vendor is known; empty: there is no sensible one.
    default_model: str = ""
    needs_key: bool = True
    supports_function_calling: bool = True
    #: Beginnings of model names by which a name without a vendor is recognised.
    model_prefixes: tuple[str, ...] = ()


_RAW = Quirks(has_think_tags=True)

VENDORS: dict[str, Vendor] = {
    row.id: row
    for row in (
        Vendor(
            id="openai",
            base_url="https://api.openai.com/v1",
            key_env=("OPENAI_API_KEY",),
            base_url_env="OPENAI_BASE_URL",
            quirks=Quirks(max_tokens_key="max_completion_tokens"),
            default_model="gpt-5.6-luna",
            model_prefixes=("gpt-", "o1", "o3", "o4", "chatgpt"),
        ),
        Vendor(
            id="deepseek",
            base_url="https://api.deepseek.com",
            key_env=("DEEPSEEK_API_KEY",),
            base_url_env="DEEPSEEK_BASE_URL",
            quirks=Quirks(returns_reasoning=True),
            default_model="deepseek-flash",
            model_prefixes=("deepseek",),
        ),
        Vendor(
            id="qwen",
            base_url="https://dashscope.aliyuncs.com/compatible-mode/v1",
            key_env=("DASHSCOPE_API_KEY", "ALIBABA_API_KEY"),
            base_url_env="DASHSCOPE_BASE_URL",
            default_model="qwen-plus",
            model_prefixes=("qwen", "qwq"),
        ),
        Vendor(
            id="together",
            base_url="https://api.together.xyz/v1",
            key_env=("TOGETHER_API_KEY",),
            base_url_env="TOGETHER_BASE_URL",
            quirks=_RAW,
            default_model="openai/gpt-oss-120b",
        ),
        Vendor(
            id="mistral",
            base_url="https://api.mistral.ai/v1",
            key_env=("MISTRAL_API_KEY",),
            base_url_env="MISTRAL_BASE_URL",
            # Unknown keys are refused with 422 here, and the usage comes unasked.
            quirks=Quirks(
                seed_key="random_seed", has_stream_options=False, names_tool_results=True, has_short_call_ids=True
            ),
            default_model="mistral-small-latest",
            model_prefixes=("mistral", "ministral", "magistral", "codestral", "devstral", "pixtral"),
        ),
        Vendor(
            id="groq",
            base_url="https://api.groq.com/openai/v1",
            key_env=("GROQ_API_KEY",),
            base_url_env="GROQ_BASE_URL",
            quirks=Quirks(max_tokens_key="max_completion_tokens", has_think_tags=True),
            default_model="openai/gpt-oss-120b",
        ),
        Vendor(
            id="openrouter",
            base_url="https://openrouter.ai/api/v1",
            key_env=("OPENROUTER_API_KEY",),
            base_url_env="OPENROUTER_BASE_URL",
            default_model="openai/gpt-5.6-luna",
        ),
        Vendor(
            id="xai",
            base_url="https://api.x.ai/v1",
            key_env=("XAI_API_KEY",),
            base_url_env="XAI_BASE_URL",
            quirks=Quirks(max_tokens_key="max_completion_tokens"),
            default_model="grok-4.7",
            model_prefixes=("grok",),
        ),
        Vendor(
            id="zhipu",
            base_url="https://open.bigmodel.cn/api/paas/v4",
            key_env=("ZHIPUAI_API_KEY", "ZHIPU_API_KEY"),
            base_url_env="ZHIPU_BASE_URL",
            quirks=Quirks(returns_reasoning=True),
            default_model="glm-5.3-flash",
            model_prefixes=("glm",),
        ),
        Vendor(
            id="zai",
            base_url="https://api.z.ai/api/paas/v4",
            key_env=("ZAI_API_KEY",),
            base_url_env="ZAI_BASE_URL",
            quirks=Quirks(returns_reasoning=True),
            default_model="glm-5.3-flash",
        ),
        # Servers of one's own: no key, unless they were started with one.
        Vendor(
            id="vllm",
            base_url="http://127.0.0.1:8000/v1",
            key_env=("VLLM_API_KEY",),
            base_url_env="VLLM_BASE_URL",
            quirks=_RAW,
            needs_key=False,
        ),
        Vendor(
            id="llamacpp",
            base_url="http://127.0.0.1:8080/v1",
            key_env=("LLAMACPP_API_KEY",),
            base_url_env="LLAMACPP_BASE_URL",
            quirks=_RAW,
            needs_key=False,
        ),
        Vendor(
            id="lmstudio",
            base_url="http://127.0.0.1:1234/v1",
            key_env=("LMSTUDIO_API_KEY",),
            base_url_env="LMSTUDIO_BASE_URL",
            quirks=_RAW,
            needs_key=False,
        ),
        Vendor(
            id="ollama",
            base_url="http://127.0.0.1:11434/v1",
            key_env=("OLLAMA_API_KEY",),
            base_url_env="OLLAMA_HOST",
            quirks=_RAW,
            needs_key=False,
        ),
        # The model that comes with `lumos models install`; it runs in this process.
        Vendor(id="local", default_model="smollm2", needs_key=False, model_prefixes=("smollm",)),
        # A server that a test started: `lumos_nb.testing.FakeServer`.
        Vendor(id="mock", base_url_env="LUMOS_MOCK_URL", needs_key=False),
    )
}
"""All vendors by id, in the order in which `default_llm` looks for a key."""
