"""From names to models, and what is said about a name that cannot be one."""

import subprocess
import sys

import pytest

from lumos_nb import providers, settings
from lumos_nb.credentials import Secret, find_key
from lumos_nb.errors import SettingsError, UsageError
from lumos_nb.providers import default_llm, embedded, llm
from lumos_nb.providers.vendors import VENDORS


@pytest.fixture
def no_keys(monkeypatch):
    for vendor in VENDORS.values():
        for name in (*vendor.key_env, vendor.base_url_env):
            monkeypatch.delenv(name, raising=False) if name else None
    monkeypatch.delenv("LUMOS_MODEL", raising=False)
    settings.reset()


@pytest.mark.parametrize(
    ("spec", "vendor", "model", "base_url"),
    [
        ("openai/gpt-5.6-luna", "openai", "gpt-5.6-luna", "https://api.openai.com/v1"),
        ("openrouter/meta/llama-4", "openrouter", "meta/llama-4", "https://openrouter.ai/api/v1"),
        (" OpenAI/gpt-5.6-luna ", "openai", "gpt-5.6-luna", "https://api.openai.com/v1"),
        ("x-ai/grok-4.7", "xai", "grok-4.7", "https://api.x.ai/v1"),
        ("ollama/qwen3:8b", "ollama", "qwen3:8b", "http://127.0.0.1:11434"),
    ],
)
def test_a_name_gives_its_vendor_model_and_address(no_keys, spec, vendor, model, base_url):
    found = llm(spec)
    assert (found.provider, found.model, found.base_url) == (vendor, model, base_url)


def test_any_word_names_a_server_of_ones_own():
    found = llm("mine/llama", base_url="http://gpu:9000/v1/")
    assert (found.provider, found.base_url) == ("mine", "http://gpu:9000/v1")


@pytest.mark.parametrize(
    ("value", "expected"), [("gpu", "http://gpu:11434"), ("http://gpu:1", "http://gpu:1"), ("", None)]
)
def test_the_environment_moves_a_vendor(no_keys, monkeypatch, value, expected):
    monkeypatch.setenv("OLLAMA_HOST", value)
    assert llm("ollama/m").base_url == (expected or "http://127.0.0.1:11434")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("gpt-4o", "Did you mean 'openai/gpt-4o'?"),
        ("qwen3-max", "Did you mean 'qwen/qwen3-max'?"),
        ("openai", "Write for example 'openai/gpt-5.6-luna'."),
        ("openai/", "Write for example 'openai/gpt-5.6-luna'."),
        ("whatever", "Write it as 'vendor/model'"),
        ("opnai/gpt-4o", "There is no vendor 'opnai'. Did you mean 'openai'?"),
        ("nobody/x", "base_url="),
        ("mock/x", "LUMOS_MOCK_URL"),
        ("local/smolm2", "Did you mean 'smollm2'?"),
        ("", "Write it as 'vendor/model'"),
    ],
)
def test_a_name_that_cannot_be_is_answered_with_the_one_that_can(no_keys, spec, said):
    with pytest.raises(UsageError) as caught:
        llm(spec)
    assert said in str(caught.value)


def test_an_address_without_scheme_and_an_unknown_format_are_named():
    with pytest.raises(UsageError, match="http://localhost:8000"):
        llm("mine/m", base_url="localhost:8000")
    with pytest.raises(UsageError, match="openai-chat"):
        llm("mine/m", base_url="http://h/v1", format="openai-caht")


def test_the_default_is_the_setting_then_the_first_key_then_the_embedded_model(no_keys, monkeypatch):
    monkeypatch.setattr(embedded, "is_installed", lambda: True)
    assert repr(default_llm()) == "<EmbeddedProvider local/smollm2>"
    monkeypatch.setenv("GROQ_API_KEY", "k")
    assert default_llm().provider == "groq"
    monkeypatch.setenv("DEEPSEEK_API_KEY", "k")
    assert repr(default_llm()) == "<HttpProvider deepseek/deepseek-flash>"
    settings.configure(model="mistral/m")
    assert repr(default_llm()) == "<HttpProvider mistral/m>"


def test_without_any_model_the_two_ways_to_one_are_said(no_keys, monkeypatch):
    monkeypatch.setattr(embedded, "is_installed", lambda: False)
    with pytest.raises(UsageError) as caught:
        default_llm()
    for way in ("OPENAI_API_KEY", "base_url=", 'pip install "lumos-nb[local]"', "lumos models install smollm2"):
        assert way in str(caught.value)
    assert not isinstance(caught.value, SettingsError)


def test_every_vendor_row_is_whole():
    for vendor in VENDORS.values():
        assert vendor.base_url or vendor.id in {"local", "mock"}
        assert bool(vendor.key_env) or not vendor.needs_key
        assert not vendor.base_url.endswith("/")


def test_a_secret_never_prints():
    key = Secret("sk-1")
    assert "sk-1" not in f"{key} {key!r} {key!s} {key:>10} %s {[key]} {{'k': key}}" % key
    assert key.reveal() == "sk-1" and key == Secret("sk-1") and {key} == {Secret("sk-1")}
    with pytest.raises(TypeError):
        __import__("json").dumps({"key": key})
    with pytest.raises(TypeError):
        __import__("pickle").dumps(key)


def test_a_key_of_white_space_is_none():
    assert find_key(["A"], {"A": " \n"}) is None


def test_the_promise_of_the_package():
    assert providers.__all__ == [
        "FallbackProvider", "LlmProvider", "ModelOptions", "ModelResponse", "OutputSchema", "ToolSpec",
        "cost_source", "cost_usd", "default_llm", "in_turn", "llm",
    ]  # fmt: skip
    assert all(getattr(providers, name) for name in providers.__all__)


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, lumos_nb.providers; print({'httpx','pydantic','asyncio','xllamacpp'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"


@pytest.mark.parametrize(
    "address", ["http://", "http:///v1", "http://[::1/v1", "http://host:99999/v1", "http://host:abc"]
)
def test_an_address_that_cannot_be_is_said_at_once(address):
    with pytest.raises(UsageError, match="base_url"):
        llm("mine/m", base_url=address)


@pytest.mark.parametrize("spec", [None, 5, [None], {"a/b": 1}.values()])
def test_what_is_no_name_of_a_model_is_said_so(spec):
    with pytest.raises(UsageError, match="name of a model"):
        llm(spec)


@pytest.mark.parametrize("quirks", [{"max_token_key": "x"}, {"structured": "strict"}, {"reasoning": "efort"}])
def test_a_quirk_that_is_not_known_is_an_error_that_lists_those_that_are(quirks, no_keys):
    with pytest.raises(SettingsError, match="max_tokens_key"):
        settings.configure(vendors={"mine": {"base_url": "http://h/v1", "quirks": quirks}})
        llm("mine/m")


@pytest.mark.parametrize(
    ("row", "says"),
    [({"base_urll": "http://h"}, "A row has: id, "), ({"quirks": {"max_tokens": "x"}}, "`quirks` has: ")],
)
def test_a_value_that_a_vendor_s_row_or_its_quirks_do_not_have_is_named(row, says):
    settings.configure(vendors={"mine": {"base_url": "http://h/v1", **row}})
    with pytest.raises(SettingsError, match="unknown field") as caught:
        llm("mine/m")
    assert says in str(caught.value)
