"""A key of each shape, made anew each time from a fixed seed, and the forms in which it may stand in a text."""

import base64
import json
import random
import string
from urllib.parse import quote

_WORD = string.ascii_letters + string.digits
_DICE = random.Random(6)


def _some(n, letters=_WORD):
    # Some figures in each, as a real one has.
    return "".join(_DICE.choice(letters) for _ in range(n - 2)) + "7" + _DICE.choice(letters)


def _based(text):
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


_PEM = "\n".join(
    ["-----BEGIN PRIVATE KEY-----", *(_some(64) for _ in range(4)), _some(20), "-----END PRIVATE KEY-----"]
)
_HEX, _UPPER = "0123456789abcdef", string.ascii_uppercase + string.digits

KEYS = {
    "openai": f"sk-{_some(48)}",
    "openai project": f"sk-proj-{_some(40)}_{_some(40)}-{_some(40)}",
    "openai service": f"sk-svcacct-{_some(60)}",
    "anthropic": f"sk-ant-api03-{_some(80)}-{_some(10)}AA",
    "anthropic oauth": f"sk-ant-oat01-{_some(60)}",
    "openrouter": f"sk-or-v1-{_some(64, _HEX)}",
    "google": f"AIza{_some(35)}",
    "google oauth": f"ya29.{_some(60)}",
    "google client": f"GOCSPX-{_some(28)}",
    "aws": f"AKIA{_some(16, _UPPER)}",
    "aws session": f"ASIA{_some(16, _UPPER)}",
    "azure storage": f"AccountKey={base64.b64encode(_some(64).encode()).decode()}",
    "github": f"ghp_{_some(36)}",
    "github app": f"ghs_{_some(36)}",
    "github oauth": f"gho_{_some(36)}",
    "github refresh": f"ghr_{_some(36)}",
    "github fine": f"github_pat_{_some(22)}_{_some(59)}",
    "gitlab": f"glpat-{_some(20)}",
    "gitlab runner": f"glrt-{_some(20)}",
    "slack bot": f"xoxb-{_some(12, string.digits)}-{_some(12, string.digits)}-{_some(24)}",
    "slack user": f"xoxp-{_some(12, string.digits)}-{_some(32, _HEX)}",
    "slack app": f"xapp-1-{_some(11, _UPPER)}-{_some(13, string.digits)}-{_some(64, _HEX)}",
    "hugging face": f"hf_{_some(34)}",
    "groq": f"gsk_{_some(52)}",
    "xai": f"xai-{_some(80)}",
    "perplexity": f"pplx-{_some(48)}",
    "replicate": f"r8_{_some(37)}",
    "nvidia": f"nvapi-{_some(64)}",
    "cerebras": f"csk-{_some(48)}",
    "fireworks": f"fw_{_some(24)}",
    "together": f"tgp_v1_{_some(43)}",
    "baidu": f"bce-v3/ALTAK-{_some(21)}/{_some(40, _HEX)}",
    "langsmith": f"lsv2_pt_{_some(32, _HEX)}_{_some(10, _HEX)}",
    "tavily": f"tvly-dev-{_some(32)}",
    "pinecone": f"pcsk_{_some(6)}_{_some(60)}",
    "stripe": f"sk_live_{_some(24)}",
    "stripe restricted": f"rk_live_{_some(24)}",
    "npm": f"npm_{_some(36)}",
    "pypi": f"pypi-AgEIcHlwaS5vcmc{_some(80)}",
    "docker": f"dckr_pat_{_some(27)}",
    "sendgrid": f"SG.{_some(22)}.{_some(43)}",
    "digitalocean": f"dop_v1_{_some(64, _HEX)}",
    "databricks": f"dapi{_some(32, _HEX)}",
    "shopify": f"shpat_{_some(32, _HEX)}",
    "linear": f"lin_api_{_some(40)}",
    "notion": f"ntn_{_some(46)}",
    "postman": f"PMAK-{_some(24, _HEX)}-{_some(34, _HEX)}",
    "sentry": f"sntrys_{_some(60)}",
    "grafana": f"glsa_{_some(32)}_{_some(8, _HEX)}",
    "vault": f"hvs.{_some(90)}",
    "atlassian": f"ATATT3xFfGF0{_some(60)}",
    "square": f"sq0csp-{_some(43)}",
    "age": f"AGE-SECRET-KEY-1{_some(58, _UPPER)}",
    "jwt": ".".join([_based('{"alg":"HS256","typ":"JWT"}'), _based('{"sub":"1234567890"}'), _some(43)]),
    "pem": _PEM,
    "bearer": f"Bearer {_some(40)}",
    "cookie": f"Set-Cookie: session={_some(32)}; Path=/",
    "password in an address": f"postgres://ada:{_some(16)}@db.example/orders",
    "named": f"x-api-key: {_some(32)}",
}
"""By whose they are; all invented."""

LOOK_ALIKES = (
    "0190b2f4-7c1e-7d3a-9a51-3f2b8c9d0e1f",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    "risk-assessment-2024-final-version-of-the-board",
    "task-0123456789-abcdefghij-klmnop",
    "pk_orders_by_customer_2024_01",
    "sk-learn-preprocessing-pipeline-of-models",
    "hf_transformers_library_version",
    "the bearer of this letter, and bearer authentication",
    "chatcmpl-AbCdEf0123456789AbCdEf0123456789",
    "msg_01XFDUDYJgAACzvnptvVoYEL",
    "toolu_01A09q90qw90lq917835lq9",
    "call_9pQ2VwJbXnC4tR7yLmK0sD3f",
    "resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b",
    "https://example.com:8080/home/news?page=2&key_figures=1",
    "key-value store, keyboard, monkey-patching",
    "data:image/png;base64," + base64.b64encode(random.Random(1).randbytes(3000)).decode(),
    "-----BEGIN CERTIFICATE----- and -----BEGIN PRIVATE KEY----- begin what is in a file",
    "cookie: a small biscuit; the authorization: pending",
    "max_tokens=4096, tokens: 12345678901234567890",
    "gpt-5.6-luna claude-sonnet-5-20260514 gemini-3-pro-preview-11-2026",
)
"""What begins, or is as long, as a key, and is none."""


def core(key):
    """Return what of a text is secret: the value, not the word before it."""
    for before in ("Bearer ", "session=", "x-api-key: ", "postgres://ada:", "AccountKey="):
        if before in key:
            return key.split(before)[1].split(";")[0].split("@")[0]
    return key.split("\n")[2] if "\n" in key else key


FORMS = {
    "plain": lambda key: key,
    "in JSON": lambda key: json.dumps(key)[1:-1],
    "in JSON in JSON": lambda key: json.dumps(json.dumps(key))[3:-3],
    "behind a line end": lambda key: f"\\n{json.dumps(key)[1:-1]}",
    "quoted": lambda key: quote(key, safe=""),
    "Base64": lambda key: base64.b64encode(key.encode()).decode(),
    "Base64, one byte before": lambda key: base64.b64encode(f":{key} and more".encode()).decode(),
    "Base64, two bytes before": lambda key: base64.b64encode(f"a:{key} and more".encode()).decode(),
    "URL-safe Base64": lambda key: base64.urlsafe_b64encode(f"ä?{key}~".encode()).decode(),
    "hexadecimal": lambda key: key.encode().hex(),
    "HEXADECIMAL": lambda key: key.encode().hex().upper(),
}
"""How a key may stand within a string of JSON."""
