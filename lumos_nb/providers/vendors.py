"""The vendors, as rows.

One idea: a vendor is data. A new one that speaks a known format is one more row, and what it
does differently from others is in its `Quirks`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from lumos_nb import settings
from lumos_nb.errors import SettingsError
from lumos_nb.providers.wire.base import Quirks


class Vendor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where a vendor's models are, how they are asked, and what they can do."""

    id: str
    #: Address up to the version; `{NAME}` or `{NAME:default}` stands for an environment variable. Empty: must be given.
    base_url: str = ""
    #: Environment variables that may hold the key, the usual one first.
    key_env: tuple[str, ...] = ()
    #: Environment variable that overrides `base_url`.
    base_url_env: str = ""
    format: str = "openai-chat"
    #: Other formats that it speaks, and the address of each.
    formats: dict[str, str] = {}
    #: Header that carries the key: `authorization` (as a bearer), or a name such as `x-api-key`.
    key_header: str = "authorization"
    #: Further headers of every request.
    headers: dict[str, str] = {}
    #: Requests without a key are signed: `aws`, or empty for never.
    signing: str = ""
    quirks: Quirks = Quirks()
    #: Quirks in other formats than its usual one, where they are not the same.
    format_quirks: dict[str, Quirks] = {}
    #: Model to use when only the vendor is known; empty: there is no sensible one.
    default_model: str = ""
    needs_key: bool = True
    supports_function_calling: bool = True
    #: What messages may hold beside text: `image`, `pdf`, `audio`. None: not known, so it is tried.
    accepts: tuple[str, ...] | None = None
    #: Whether its models can show what they think.
    has_reasoning: bool = True
    #: Tokens of the default model's window; None: not known.
    context_window: int | None = None
    #: Beginnings of model names by which a name without a vendor is recognised.
    model_prefixes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        # Headers and the address may hold a key.
        return f"<Vendor {self.id}>"

    def address(self, format: str) -> str:
        """Return its own address for a format, with its `{NAME}`s; empty: it has none."""
        return self.formats.get(format, self.base_url)


_RAW = Quirks(has_think_tags=True)
_OPENAI = Quirks(max_tokens_key="max_completion_tokens")
# A copy of another vendor's format mostly has its words and tools, and no promise about the form of an answer.
_BY_TOOL = Quirks(structured="tool")
_IN_WORDS = Quirks(structured="prompt")
_THINKING = Quirks(returns_reasoning=True, reasoning="thinking", tool_choices=(), structured="json")

_BUILT_IN = (
    Vendor(
        id="openai",
        base_url="https://api.openai.com/v1",
        key_env=("OPENAI_API_KEY",),
        base_url_env="OPENAI_BASE_URL",
        formats={"openai-responses": "https://api.openai.com/v1"},
        quirks=_OPENAI,
        default_model="gpt-5.6-luna",
        accepts=("image", "pdf", "audio"),
        context_window=1_050_000,
        model_prefixes=("gpt-", "o1", "o3", "o4", "chatgpt"),
    ),
    Vendor(
        id="anthropic",
        base_url="https://api.anthropic.com",
        key_env=("ANTHROPIC_API_KEY",),
        base_url_env="ANTHROPIC_BASE_URL",
        format="anthropic-messages",
        key_header="x-api-key",
        default_model="claude-sonnet-5",
        accepts=("image", "pdf"),
        context_window=1_000_000,
        model_prefixes=("claude",),
    ),
    Vendor(
        id="google",
        base_url="https://generativelanguage.googleapis.com/v1beta",
        key_env=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        base_url_env="GOOGLE_GEMINI_BASE_URL",
        format="gemini",
        key_header="x-goog-api-key",
        # Before Gemini 3 a form and tools exclude each other.
        quirks=Quirks(is_structured_beside_tools=False),
        default_model="gemini-3.6-flash",
        accepts=("image", "pdf", "audio"),
        context_window=1_000_000,
        model_prefixes=("gemini",),
    ),
    Vendor(
        id="deepseek",
        base_url="https://api.deepseek.com",
        key_env=("DEEPSEEK_API_KEY",),
        base_url_env="DEEPSEEK_BASE_URL",
        formats={
            "openai-responses": "https://api.deepseek.com",
            "anthropic-messages": "https://api.deepseek.com/anthropic",
        },
        format_quirks={
            "openai-responses": Quirks(tool_choices=(), structured="prompt"),
            "anthropic-messages": Quirks(tool_choices=(), structured="prompt", returns_reasoning=True),
        },
        quirks=_THINKING,
        default_model="deepseek-flash",
        accepts=(),
        context_window=1_000_000,
        model_prefixes=("deepseek",),
    ),
    Vendor(
        id="qwen",
        base_url="https://dashscope.aliyuncs.com/compatible-mode/v1",
        key_env=("DASHSCOPE_API_KEY", "ALIBABA_API_KEY"),
        base_url_env="DASHSCOPE_BASE_URL",
        formats={"anthropic-messages": "https://dashscope.aliyuncs.com/apps/anthropic"},
        format_quirks={"anthropic-messages": _BY_TOOL},
        quirks=Quirks(reasoning="enable_thinking", tool_choices=("none", "tool"), structured="json"),
        default_model="qwen-plus",
        accepts=("image",),
        context_window=129_024,
        model_prefixes=("qwen", "qwq"),
    ),
    Vendor(
        id="baidu",
        base_url="https://qianfan.baidubce.com/v2",
        key_env=("QIANFAN_API_KEY",),
        base_url_env="QIANFAN_BASE_URL",
        quirks=Quirks(reasoning="enable_thinking"),
        default_model="ernie-5.1",
        accepts=("image",),
        model_prefixes=("ernie",),
    ),
    Vendor(
        id="huawei",
        base_url="https://api-ap-southeast-1.modelarts-maas.com/openai/v1",
        key_env=("MAAS_API_KEY",),
        base_url_env="MAAS_BASE_URL",
        formats={"anthropic-messages": "https://api-ap-southeast-1.modelarts-maas.com/anthropic"},
        format_quirks={"anthropic-messages": _IN_WORDS},
        # Keys that it does not know are refused here.
        quirks=Quirks(
            returns_reasoning=True, reasoning="thinking", has_parallel_switch=False, tool_choices=(), structured="json"
        ),
        default_model="deepseek-v4-flash",
        accepts=(),
        context_window=1_000_000,
    ),
    Vendor(
        id="zhipu",
        base_url="https://open.bigmodel.cn/api/paas/v4",
        key_env=("ZHIPUAI_API_KEY", "ZHIPU_API_KEY"),
        base_url_env="ZHIPU_BASE_URL",
        quirks=_THINKING,
        default_model="glm-5.3-flash",
        accepts=("image",),
        context_window=1_000_000,
        model_prefixes=("glm",),
    ),
    Vendor(
        id="zai",
        base_url="https://api.z.ai/api/paas/v4",
        key_env=("ZAI_API_KEY",),
        base_url_env="ZAI_BASE_URL",
        formats={"anthropic-messages": "https://api.z.ai/api/anthropic"},
        format_quirks={"anthropic-messages": _IN_WORDS},
        quirks=_THINKING,
        default_model="glm-5.3-flash",
        accepts=("image",),
        context_window=1_000_000,
    ),
    Vendor(
        id="together",
        base_url="https://api.together.xyz/v1",
        key_env=("TOGETHER_API_KEY",),
        base_url_env="TOGETHER_BASE_URL",
        quirks=Quirks(has_think_tags=True, has_parallel_switch=False),
        default_model="openai/gpt-oss-120b",
        accepts=("image",),
        context_window=131_072,
    ),
    Vendor(
        id="mistral",
        base_url="https://api.mistral.ai/v1",
        key_env=("MISTRAL_API_KEY",),
        base_url_env="MISTRAL_BASE_URL",
        # Unknown keys are refused with 422 here, and the usage comes unasked.
        quirks=Quirks(
            seed_key="random_seed",
            has_stream_options=False,
            names_tool_results=True,
            has_short_call_ids=True,
            takes_user_after_tool=False,
            reasoning="",
            required_choice="any",
        ),
        default_model="mistral-small-latest",
        accepts=("image",),
        model_prefixes=("mistral", "ministral", "magistral", "codestral", "devstral", "pixtral"),
    ),
    Vendor(
        id="groq",
        base_url="https://api.groq.com/openai/v1",
        key_env=("GROQ_API_KEY",),
        base_url_env="GROQ_BASE_URL",
        # A form and tools exclude each other here.
        quirks=Quirks(max_tokens_key="max_completion_tokens", has_think_tags=True, is_structured_beside_tools=False),
        default_model="openai/gpt-oss-120b",
        accepts=("image",),
        context_window=131_072,
    ),
    Vendor(
        id="openrouter",
        base_url="https://openrouter.ai/api/v1",
        key_env=("OPENROUTER_API_KEY",),
        base_url_env="OPENROUTER_BASE_URL",
        quirks=Quirks(reasoning="nested"),
        default_model="openai/gpt-5.6-luna",
        accepts=("image", "pdf", "audio"),
        context_window=1_050_000,
    ),
    Vendor(
        id="xai",
        base_url="https://api.x.ai/v1",
        key_env=("XAI_API_KEY",),
        base_url_env="XAI_BASE_URL",
        formats={"openai-responses": "https://api.x.ai/v1"},
        quirks=_OPENAI,
        default_model="grok-4.7",
        accepts=("image",),
        context_window=500_000,
        model_prefixes=("grok",),
    ),
    Vendor(
        id="cohere",
        base_url="https://api.cohere.com/v2",
        key_env=("CO_API_KEY", "COHERE_API_KEY"),
        base_url_env="CO_BASE_URL",
        format="cohere-chat",
        # A named tool cannot be forced, and a form and tools exclude each other.
        quirks=Quirks(tool_choices=("none", "required"), is_structured_beside_tools=False),
        default_model="command-a-plus-05-2026",
        accepts=("image",),
        context_window=128_000,
        model_prefixes=("command",),
    ),
    Vendor(
        id="huggingface",
        base_url="https://router.huggingface.co/v1",
        key_env=("HF_TOKEN", "HUGGINGFACE_API_KEY"),
        base_url_env="HF_BASE_URL",
        quirks=_RAW,
        # No default: the key is on many machines for data sets, and must not send prompts anywhere by itself.
        accepts=("image",),
    ),
    # The model is the name of a deployment.
    Vendor(
        id="azure",
        base_url="{AZURE_OPENAI_ENDPOINT}/openai/v1",
        key_env=("AZURE_OPENAI_API_KEY",),
        base_url_env="AZURE_OPENAI_BASE_URL",
        formats={"openai-responses": "{AZURE_OPENAI_ENDPOINT}/openai/v1"},
        key_header="api-key",
        quirks=_OPENAI,
        accepts=("image", "pdf", "audio"),
    ),
    Vendor(
        id="bedrock",
        base_url="https://bedrock-runtime.{AWS_REGION:us-east-1}.amazonaws.com",
        key_env=("AWS_BEARER_TOKEN_BEDROCK",),
        base_url_env="BEDROCK_BASE_URL",
        format="bedrock-converse",
        formats={"openai-responses": "https://bedrock-mantle.{AWS_REGION:us-east-1}.api.aws/openai/v1"},
        format_quirks={"openai-responses": _BY_TOOL},
        signing="aws",
        quirks=Quirks(structured="tool", tool_choices=("required", "tool")),
        accepts=("image", "pdf"),
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
        formats={"openai-responses": "http://127.0.0.1:8080/v1", "anthropic-messages": "http://127.0.0.1:8080"},
        # Measured: a form is heeded in Chat Completions only.
        format_quirks={"openai-responses": _IN_WORDS, "anthropic-messages": _IN_WORDS},
        quirks=_RAW,
        needs_key=False,
    ),
    Vendor(
        id="lmstudio",
        base_url="http://127.0.0.1:1234/v1",
        key_env=("LMSTUDIO_API_KEY",),
        base_url_env="LMSTUDIO_BASE_URL",
        formats={"openai-responses": "http://127.0.0.1:1234/v1"},
        format_quirks={"openai-responses": _IN_WORDS},
        quirks=_RAW,
        needs_key=False,
    ),
    Vendor(
        id="ollama",
        base_url="http://127.0.0.1:11434",
        key_env=("OLLAMA_API_KEY",),
        base_url_env="OLLAMA_HOST",
        format="ollama-chat",
        formats={"openai-chat": "http://127.0.0.1:11434/v1"},
        format_quirks={"openai-chat": _RAW},
        quirks=Quirks(has_think_tags=True, tool_choices=()),
        accepts=("image",),
        needs_key=False,
    ),
    # The model that comes with `lumos models install`; it runs in this process.
    Vendor(
        id="local",
        # Its server closes each connection behind an answer, without saying so.
        headers={"connection": "close"},
        default_model="smollm2",
        needs_key=False,
        accepts=(),
        has_reasoning=False,
        model_prefixes=("smollm",),
    ),
    # A server that a test started: `lumos_nb.testing.FakeServer`.
    Vendor(id="mock", base_url_env="LUMOS_MOCK_URL", needs_key=False),
)

VENDORS: dict[str, Vendor] = {row.id: row for row in _BUILT_IN}
"""The built-in vendors by id, in the order in which `default_llm` looks for a key."""


def vendors() -> Mapping[str, Vendor]:
    """Return all vendors by id: the built-in ones and those of the setting `vendors`.

    Raises:
        SettingsError: A row of the setting cannot be used; says which and why.

    Example:
        >>> vendors()["anthropic"].key_env
        ('ANTHROPIC_API_KEY',)
    """
    added = settings.current().vendors
    return {**VENDORS, **{id: _row(id, fields) for id, fields in added.items()}} if added else VENDORS


def expanded(address: str, environ: Mapping[str, str] | None = None) -> str:
    """Return an address with the environment's values in place of `{NAME}` and `{NAME:default}`.

    A variable that is not set and has no default gives an empty address.

    Example:
        >>> expanded("https://bedrock-runtime.{AWS_REGION:us-east-1}.amazonaws.com", {})
        'https://bedrock-runtime.us-east-1.amazonaws.com'
        >>> expanded("{AZURE_OPENAI_ENDPOINT}/openai/v1", {"AZURE_OPENAI_ENDPOINT": "https://me.openai.azure.com/"})
        'https://me.openai.azure.com/openai/v1'
        >>> expanded("{AZURE_OPENAI_ENDPOINT}/openai/v1", {})
        ''
    """
    environ = os.environ if environ is None else environ
    values = {name: environ.get(name, "").strip().rstrip("/") or default for name, default in _NAMES.findall(address)}
    if not all(values.values()):
        return ""
    return _NAMES.sub(lambda found: values[found[1]], address)


_NAMES = re.compile(r"\{(\w+):?([^}]*)\}")


def _row(id: str, fields: Any) -> Vendor:
    if not isinstance(fields, dict):
        raise SettingsError(
            f"The vendor {id!r} of the setting 'vendors' is {fields!r:.80}.",
            hint="Write it as {'base_url': 'http://…/v1', 'key_env': ['MY_KEY']}.",
        )
    known = msgspec.to_builtins(VENDORS[id]) if id in VENDORS else {"quirks": msgspec.to_builtins(_RAW)}
    fields = {"needs_key": bool(fields.get("key_env")), **fields} if id not in VENDORS else fields
    try:
        return msgspec.convert({**known, **fields, "id": id}, Vendor)
    except msgspec.ValidationError as error:
        what, named = ("`quirks`", Quirks) if "quirks" in str(error) else ("A row", Vendor)
        raise SettingsError(
            f"The vendor {id!r} of the setting 'vendors' cannot be used: {error}.",
            hint=f"{what} has: {', '.join(named.__struct_fields__)}.",
        ) from None
