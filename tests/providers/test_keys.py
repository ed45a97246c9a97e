"""Where keys come from, and that they show nowhere."""

import json
import logging
import pickle

import pytest

from lumos_nb import configure, llm, settings
from lumos_nb.credentials import Secret, find_stored_key, store_key
from lumos_nb.errors import CredentialError, ProviderError, SettingsError
from lumos_nb.messages import Message
from lumos_nb.providers.auth import key_of
from lumos_nb.providers.catalog import state_of
from lumos_nb.providers.vendors import VENDORS
from lumos_nb.testing import FakeServer, Reply
from lumos_nb.transport import Request

KEY = "sk-very-secret-0123456789"
ASK = [Message(role="user", content="Hi")]


@pytest.fixture
def keyring(monkeypatch):
    """A keyring backend in memory, as the package `keyring` lets one be written."""
    import keyring as package
    from keyring.backend import KeyringBackend

    class InMemory(KeyringBackend):
        priority = 1

        def __init__(self):
            super().__init__()
            self.kept = {}

        def get_password(self, service, username):
            if self.kept is None:
                raise RuntimeError("locked")
            return self.kept.get((service, username))

        def set_password(self, service, username, password):
            if self.kept is None:
                raise RuntimeError("locked")
            self.kept[service, username] = password

    before, backend = package.get_keyring(), InMemory()
    package.set_keyring(backend)
    monkeypatch.setattr("lumos_nb.credentials._stored", {})
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    yield backend
    package.set_keyring(before)


def test_a_key_comes_from_the_settings_else_the_environment_else_the_keyring(keyring, monkeypatch):
    openai = VENDORS["openai"]
    assert key_of(openai) is None
    store_key("openai", "from-keyring")
    assert key_of(openai) == Secret("from-keyring") and keyring.kept == {("lumos_nb", "openai"): "from-keyring"}
    monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
    assert key_of(openai) == Secret("from-environment")
    configure(keys={"openai": "from-settings"})
    assert key_of(openai) == Secret("from-settings")


def test_a_keyring_that_is_locked_is_as_if_there_were_none(keyring):
    keyring.kept = None
    assert find_stored_key("openai") is None
    with pytest.raises(CredentialError, match="RuntimeError") as caught:
        store_key("openai", KEY)
    assert KEY not in str(caught.value)


def test_keys_in_the_settings_show_as_dots_wherever_they_are_looked_at(monkeypatch):
    config = configure(keys={"openai": KEY})
    assert KEY not in f"{config}{config!r}{config.keys}{json.dumps(config.keys, default=repr)}"
    with pytest.raises(TypeError):
        pickle.dumps(config)
    settings.reset()
    monkeypatch.setenv("LUMOS_KEYS", json.dumps({"openai": KEY}))
    assert settings.current().keys["openai"].reveal() == KEY


@pytest.mark.parametrize("value", [{"openai": ""}, {"openai": 5}, "not json sk-very-secret-0123456789", [KEY]])
def test_keys_that_cannot_be_are_named_and_not_shown(value):
    with pytest.raises(SettingsError, match="keys") as caught:
        configure(keys=value)
    assert "very-secret" not in str(caught.value)


FORMATS = ["openai", "anthropic", "google", "cohere", "ollama", "azure", "bedrock", "openai:openai-responses"]


@pytest.mark.parametrize("vendor", FORMATS)
async def test_no_vendor_shows_a_key_in_an_error_a_log_or_a_repr(vendor, caplog):
    vendor, _, format = vendor.partition(":")
    body = json.dumps({"error": {"message": f"Bad key {KEY} in {KEY}", "type": KEY}})
    with caplog.at_level(logging.DEBUG), FakeServer([Reply(status=401, body=body)]) as server:
        provider = llm(f"{vendor}/m", base_url=server.base_url, api_key=KEY, format=format or None)
        with pytest.raises((CredentialError, ProviderError)) as caught:
            await provider.generate(ASK)
    sent = server.requests[0].headers.values()
    assert any(KEY in value for value in sent), "it is sent, in a header"
    assert KEY not in server.requests[0].path
    shown = f"{caught.value}{caught.value!r}{caught.value.__dict__}{provider!r}{vars(provider)}{caplog.text}"
    assert KEY not in shown


SECRET_ROW = {"base_url": "http://ada:hunter22@127.0.0.1:9/v1?key=hunter22", "headers": {"x-api-key": "hunter22"}}


async def test_a_secret_in_a_row_or_an_address_shows_nowhere():
    shown = [repr(configure(vendors={"mine": SECRET_ROW}, max_retries=0))]
    model = llm("mine/m")
    shown += [repr(model), repr(model.vendor), state_of(model.vendor)]
    shown.append(repr(Request(url=SECRET_ROW["base_url"])))
    with pytest.raises(ProviderError) as caught:
        await model.generate(ASK)
    assert not any("hunter22" in text for text in [*shown, str(caught.value)])
    assert "127.0.0.1:9/v1" in str(caught.value)


def test_settings_that_cannot_be_read_are_not_shown_where_they_may_hold_keys():
    with pytest.raises(SettingsError) as caught:
        configure(vendors='{"mine": {"headers": {"x-api-key": "hunter22"}}')
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "  ", "k", "none"])
async def test_a_key_that_is_no_secret_leaves_the_words_of_an_error_alone(key):
    said = "none of the kinds is known"
    with (
        FakeServer([Reply(status=400, body=json.dumps({"error": said}))]) as server,
        pytest.raises(ProviderError, match=said),
    ):
        await llm("mine/m", base_url=server.base_url, api_key=key).generate(ASK)


async def test_a_secret_in_an_address_shows_in_no_log(caplog):
    settings.configure(transport="httpx")  # the one that logs
    with FakeServer(["Hello"]) as server, caplog.at_level(logging.DEBUG):
        address = server.base_url.replace("http://", "http://ada:hunter22@") + "?key=hunter22"
        assert (await llm("mine/m", base_url=address).generate(ASK)).text == "Hello"
    assert "chat/completions" in caplog.text and "hunter22" not in caplog.text
