"""How a request shows who sends it: signatures for AWS, and nothing secret anywhere else."""

import builtins
import datetime
import hashlib
import hmac
import importlib.util
import json
import os
import re

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from lumos_nb.errors import CredentialError, LumosError, MissingDependencyError
from lumos_nb.messages import Message
from lumos_nb.providers import auth, llm
from lumos_nb.providers.base import Ask
from lumos_nb.providers.vendors import VENDORS
from lumos_nb.testing import Answer, FakeServer, Reply
from lumos_nb.transport import Request

HI = [Message(role="user", content="Hi 🎉")]
ID, SECRET, TOKEN = (
    "AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "IQoJb3JpZ2luX2VjEXAMPLE//token=",
)
WHEN = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)


@pytest.fixture(autouse=True)
def aws(monkeypatch, tmp_path):
    """Take away what this machine knows of AWS."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *a, **k: WHEN)
    monkeypatch.setattr(auth, "_found", {})
    return tmp_path


@pytest.fixture
def keys(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


def signature_of(method, host, path, body, region, token=""):
    """Return the header of a signature as AWS's documentation says that it is made."""

    def keyed(key, text):
        return hmac.new(key, text.encode(), hashlib.sha256).digest()

    headers = {"host": host, "x-amz-date": "20260102T030405Z"} | ({"x-amz-security-token": token} if token else {})
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    # Each segment of the path is encoded once more than it is in the address.
    canonical = "\n".join((method, path.replace("%", "%25"), "", lines, names, hashlib.sha256(body).hexdigest()))
    scope = f"20260102/{region}/bedrock/aws4_request"
    said = f"AWS4-HMAC-SHA256\n20260102T030405Z\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{SECRET}".encode()
    for part in scope.split("/"):
        key = keyed(key, part)
    made = keyed(key, said).hex()
    return f"AWS4-HMAC-SHA256 Credential={ID}/{scope}, SignedHeaders={names}, Signature={made}"


async def test_a_signature_is_what_awss_client_and_its_documentation_say(keys):
    url = "https://bedrock-runtime.eu-west-1.amazonaws.com/model/a.b-v1%3A0/converse-stream"
    request = Request(url=url, headers={"accept": "x", "content-type": "application/json"}, body=b'{"a":1}')
    headers = (await auth.signed(VENDORS["bedrock"], request)).headers
    bare = AWSRequest(method="POST", url=url, data=b'{"a":1}')
    botocore.auth.SigV4Auth(Credentials(ID, SECRET), "bedrock", "eu-west-1").add_auth(bare)
    assert headers == {
        "accept": "x",
        "content-type": "application/json",
        "X-Amz-Date": "20260102T030405Z",
        "Authorization": bare.headers["Authorization"],
    }
    path = "/model/a.b-v1%3A0/converse-stream"
    expected = signature_of("POST", "bedrock-runtime.eu-west-1.amazonaws.com", path, b'{"a":1}', "eu-west-1")
    assert headers["Authorization"] == expected


async def test_what_arrives_at_the_server_is_what_was_signed(keys, monkeypatch):
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    monkeypatch.setenv("AWS_REGION", "ap-south-2")
    with FakeServer([Answer(text="Hello")]) as server:
        model = llm("bedrock/a.b/c-v1:0", base_url=server.base_url)
        assert (await model.generate(HI)).text == "Hello"
    request = server.requests[0]
    body = json.dumps(request.body, separators=(",", ":"), ensure_ascii=False).encode()
    host = request.headers["host"]
    assert request.path == "/v1/model/a.b%2Fc-v1%3A0/converse-stream"
    assert request.headers["authorization"] == signature_of("POST", host, request.path, body, "ap-south-2", TOKEN)
    assert request.headers["x-amz-security-token"] == TOKEN


async def test_a_key_wins_over_a_signature(keys, monkeypatch):
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-key-1")
    with FakeServer([Answer(text="a")]) as server:
        await llm("bedrock/m", base_url=server.base_url).generate(HI)
        await llm("bedrock/m", base_url=server.base_url, api_key="bedrock-key-2").generate(HI)
    sent = [request.headers["authorization"] for request in server.requests]
    assert sent == ["Bearer bedrock-key-1", "Bearer bedrock-key-2"]


async def test_each_try_is_signed_anew(keys, monkeypatch):
    monkeypatch.setattr("random.uniform", lambda a, b: 0.001)
    minutes = iter(range(60))
    later = lambda *a, **k: WHEN + datetime.timedelta(minutes=next(minutes))  # noqa: E731
    monkeypatch.setattr("botocore.auth.get_current_datetime", later)
    with FakeServer([Reply(status=503), Answer(text="a")]) as server:
        await llm("bedrock/m", base_url=server.base_url).generate(HI)
    assert [r.headers["x-amz-date"] for r in server.requests] == ["20260102T030405Z", "20260102T030505Z"]


async def test_credentials_come_from_files_too_and_a_changed_environment_counts_at_once(aws, monkeypatch):
    aws.joinpath("credentials").write_text(
        "[default]\naws_access_key_id = FROMFILE\naws_secret_access_key = a\n"
        "[other]\naws_access_key_id = FROMOTHER\naws_secret_access_key = b\n"
    )
    found = []
    with FakeServer([Answer(text="a")]) as server:
        for profile in ("default", "other", "default"):
            monkeypatch.setenv("AWS_PROFILE", profile)
            await llm("bedrock/m", base_url=server.base_url).generate(HI)
    for request in server.requests:
        found.append(re.search(r"Credential=(\w+)/", request.headers["authorization"])[1])
    assert found == ["FROMFILE", "FROMOTHER", "FROMFILE"]


async def failure_of(error=LumosError, *script):
    with FakeServer(list(script) or [Answer(text="a")]) as server, pytest.raises(error) as caught:
        await llm("bedrock/m", base_url=server.base_url).generate(HI)
    shown = f"{caught.value}{caught.value!r}{caught.value.__dict__}"
    assert not any(secret in shown for secret in (ID, SECRET, TOKEN))
    assert caught.value.__context__ is None and caught.value.__cause__ is None
    return caught.value, server


async def test_without_credentials_it_says_how_to_give_them_and_nothing_is_asked_over_the_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the metadata service was asked")

    monkeypatch.setattr("botocore.utils.IMDSFetcher._get_request", refuse)
    monkeypatch.setattr("botocore.utils.IMDSFetcher._fetch_metadata_token", refuse)
    error, server = await failure_of(CredentialError)
    assert "neither an API key nor AWS credentials" in str(error)
    assert "AWS_BEARER_TOKEN_BEDROCK" in error.hint and "AWS_ACCESS_KEY_ID" in error.hint
    assert not server.requests


async def test_the_metadata_service_is_asked_where_one_says_so(monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
    asked = []
    monkeypatch.setattr(
        "botocore.utils.InstanceMetadataFetcher.retrieve_iam_role_credentials", lambda self: asked.append(1)
    )
    await failure_of(CredentialError)
    assert asked


async def test_credentials_that_cannot_be_loaded_are_named_by_their_error(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    error, _ = await failure_of(CredentialError)
    assert "cannot be loaded: ProfileNotFound" in str(error)


async def test_without_the_package_it_says_what_to_install(keys, monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "botocore" else find_spec(name, *a)
    )
    error, _ = await failure_of(MissingDependencyError)
    assert error.hint == 'Run: pip install "lumos-nb[bedrock]", or set AWS_BEARER_TOKEN_BEDROCK.'


async def test_a_server_that_sends_the_signed_request_back_gives_nothing_away(keys, monkeypatch):
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    canonical = f"POST\n/model/m\n\nhost:x\nx-amz-date:20260102T030405Z\nx-amz-security-token:{TOKEN}\n\nhost"
    said = {"message": f"The signature does not match. Credential={ID}. '{canonical}'"}
    error, _ = await failure_of(CredentialError, Reply(status=403, body=json.dumps(said)))
    assert "The signature does not match" in str(error)
    assert error.hint == "Check your AWS credentials, and that they may use this model."


async def test_a_signed_request_shows_no_header(keys):
    request = await auth.signed(VENDORS["bedrock"], Request(url="https://x.example/model/m/converse-stream"))
    assert repr(request) == "<Request POST https://x.example/model/m/converse-stream, 0 bytes>"


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("bedrock-runtime.us-east-1.amazonaws.com", "us-east-1"),
        ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("vpce-0a1-b2.bedrock-runtime.ap-southeast-3.vpce.amazonaws.com", "ap-southeast-3"),
        ("bedrock-mantle.eu-central-1.api.aws", "eu-central-1"),
        ("proxy.example:8443", "sa-east-1"),
    ],
)
def test_the_region_is_in_the_address_or_the_environment(host, region, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "sa-east-1")
    assert auth.aws_region(f"https://{host}/model/m") == region


def test_signing_costs_nothing_where_it_is_not_used(monkeypatch):
    imported = []
    real = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", lambda name, *a, **k: imported.append(name) or real(name, *a, **k))
    llm("bedrock/m", api_key="key-1")._request(Ask(messages=tuple(HI)))
    assert not [name for name in imported if name.startswith("botocore")]
