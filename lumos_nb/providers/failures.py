"""What a model server's refusal means, and what to do about it.

One idea: a dozen shapes of error body become one `Refusal`, a status becomes one class of
error, and no text that leaves here holds anything that looks like a key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec

from lumos_nb.errors import (
    ContextLengthError,
    CredentialError,
    LumosError,
    OverloadedError,
    ProviderError,
    RateLimitError,
    StreamError,
)
from lumos_nb.messages import valid_text

_TEMPORARY = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""Statuses after which the same request may succeed."""

_OUT_OF_MONEY = {"insufficient_quota", "billing_not_active", "billing_hard_limit_reached", "1113", "1112", "1121"}
_NO_CREDIT = re.compile(
    r"credit balance is too low|insufficient.?(?:balance|quota|credit)|arrearage|billing.not.active|account is overdue",
    re.IGNORECASE,
)
"""How vendors say it that have neither a status nor a code for it."""
_TOO_LONG = re.compile(
    r"context[_ ]length|context window|maximum context|context size|tokens_too_long|characters_too_long"
    r"|(?:prompt|input) is too long|context limit"
    r"|string_above_max_length|exceed_context_size|too many tokens|range of input length"
    r"|input token count.*exceeds the maximum|maximum prompt length|reduce the length of the (?:messages|prompt)"
    r"|exceeds (?:the )?max(?:imum)? length|model token limit",
    re.IGNORECASE,
)
_SECRET = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|hf|tgp|or|key|nvapi|fw|ak)[-_][\w\-*.]{6,}|\bAIza[\w-]{10,}|\bA[KS]IA\w{10,}"
    r"|\beyJ[\w-]+\.[\w-]+(?:\.[\w-]+)?|\bbce-v3/\S+|(?<=[Bb]earer )\S+|(?<=x-amz-security-token:)\S+"
    r"|\b[0-9a-f]{32,}(?:\.\w+)?\b"
)

_TOO_MANY = re.compile(r"rate.?limit|throttl", re.IGNORECASE)


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """An error body, whatever its shape."""

    message: str = ""
    code: str = ""
    #: The vendor's id of the request, and the seconds that it asks to wait, where the body says them.
    request_id: str | None = None
    retry_after_s: float | None = None

    @property
    def is_out_of_money(self) -> bool:
        """Whether the account has no credit left."""
        return self.code in _OUT_OF_MONEY or _NO_CREDIT.search(f"{self.code} {self.message}") is not None

    @property
    def is_too_long(self) -> bool:
        """Whether the conversation does not fit the model's window."""
        # "Too many tokens" may also be those of a minute.
        return bool(_TOO_LONG.search(f"{self.code} {self.message}")) and not _TOO_MANY.search(self.code)

    def __str__(self) -> str:
        shown = f"{self.code}: " if self.code and self.code.lower() not in self.message.lower() else ""
        return f"{shown}{self.message}".rstrip(" .:")


def redact(text: str) -> str:
    """Return `text` without anything that looks like a key.

    Example:
        >>> redact("Incorrect API key provided: sk-abcdef123456.")
        'Incorrect API key provided: ••••'
    """
    return _SECRET.sub("••••", text)


def shorten(text: str, limit: int = 300) -> str:
    """Return `text` on one line, redacted, cut to `limit` characters."""
    # Of megabytes no more is searched than could be shown: the search may take long on a text made for that.
    text = redact(valid_text(" ".join(text[: 20 * limit + 1000].split())))
    return text if len(text) <= limit else f"{text[:limit]}…"


def read_refusal(body: bytes) -> Refusal:
    """Return message and code of an error body in any known shape.

    Example:
        >>> read_refusal(b'{"error":{"message":"No such model","code":"model_not_found"}}').message
        'No such model'
        >>> read_refusal(b"<html><title>502 Bad Gateway</title></html>").message
        '502 Bad Gateway'
    """
    text = body.decode(errors="replace")
    try:
        return _from_value(json.loads(text))
    except (ValueError, RecursionError):
        title = re.search(r"<title>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
        return Refusal(message=shorten(title[1] if title else re.sub(r"<[^>]+>", " ", text)))


def _from_value(value: Any) -> Refusal:
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return Refusal(message=shorten(str(value)))
    request_id = value.get("request_id")
    inner = value.get("error")
    if isinstance(inner, dict):
        value = inner
    message = next(
        (value[k] for k in ("message", "error_msg", "detail", "error", "msg") if value.get(k)), "" if inner else value
    )
    if not isinstance(message, str):
        message = json.dumps(message, ensure_ascii=False)
    metadata = value.get("metadata")
    if isinstance(metadata, dict) and isinstance(metadata.get("raw"), str):
        message = f"{message}: {metadata['raw']}"
    # A code that only repeats the status says less than the type does.
    codes = [str(value[k]) for k in ("code", "status", "error_code", "type") if value.get(k) is not None]
    code = next((c for c in codes if not re.fullmatch(r"[45]\d\d", c)), codes[0] if codes else "")
    return Refusal(
        message=shorten(message),
        code=shorten(code, 60),
        request_id=shorten(request_id, 100) if isinstance(request_id, str) and request_id else None,
        retry_after_s=_retry_delay_s(value.get("details")),
    )


def _retry_delay_s(details: Any) -> float | None:
    """Return the wait that Google's error details name.

    Example:
        >>> _retry_delay_s([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}])
        34.5
    """
    rows = details if isinstance(details, list) else []
    said = (row.get("retryDelay") for row in rows if isinstance(row, dict))
    found = (re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)s", delay) for delay in said if isinstance(delay, str))
    return next((float(match[1]) for match in found if match), None)


_PASSING = re.compile(
    r"overload|unavailable|api_error|server_error|rate.?limit|throttl|timeout|internal.?server|stream.?error"
    r"|resource_exhausted|deadline_exceeded|\binternal\b|\b5\d\d\b|\b429\b",
    re.IGNORECASE,
)
"""Words of errors in the middle of a stream after which the same request may succeed."""


def from_stream(event: bytes) -> LumosError:
    """Return the error for an error event in the middle of a stream.

    Example:
        >>> print(from_stream(b'{"error":{"code":400,"message":"Token limit reached"}}'))
        The server broke the answer off: 400: Token limit reached. Run it again, or ask for less.
    """
    refusal = read_refusal(event)
    what = f"The server broke the answer off: {refusal}."
    context: dict[str, Any] = {"request_id": refusal.request_id, "retry_after_s": refusal.retry_after_s}
    # What would have been a status of its own, had the server known it before the answer began.
    if refusal.is_out_of_money:
        return RateLimitError(what, hint=_ADD_CREDIT, **context)
    if refusal.is_too_long:
        return ContextLengthError(what, hint=_SHORTEN, **context)
    is_temporary = bool(_PASSING.search(str(refusal)))
    return StreamError(what, hint="Run it again, or ask for less.", is_temporary=is_temporary, **context)


_ADD_CREDIT = "Add credit in the vendor's console, or use another model."
_SHORTEN = "Start a new thread, shorten what the tools return, or use a model with a larger window."
_REQUEST_IDS = ("x-request-id", "request-id", "x-amzn-requestid", "apim-request-id", "x-ds-trace-id", "x-trace-id")


def from_status(
    *,
    provider: str,
    model: str,
    url: str,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    key_env: tuple[str, ...] = (),
    signing: str = "",
) -> LumosError:
    """Return the error for an answer whose status is not 200; `signing` if it was signed and had no key."""
    refusal = read_refusal(body)
    said = f": {refusal}" if str(refusal) else ""
    where = f"{provider!r} at {url}"
    if status in {401, 403}:
        return _refused_key(where, status, said, key_env, signing)
    if 300 <= status < 400:
        return _moved(provider, url, status, headers)
    context: dict[str, Any] = {
        "provider": provider,
        "status": status,
        "request_id": next((headers[name] for name in _REQUEST_IDS if headers.get(name)), refusal.request_id),
        "retry_after_s": wait_s if (wait_s := retry_after_s(headers)) is not None else refusal.retry_after_s,
        "is_temporary": status in _TEMPORARY and not refusal.is_out_of_money,
    }
    if status == 404:
        hint = f"Check the model name {model!r} and base_url; the address of such a server mostly ends in /v1."
        return ProviderError(f"{where} does not know the model {model!r} (HTTP 404{said}).", hint=hint, **context)
    if status == 402 or refusal.is_out_of_money:
        what = f"{where} refuses: the account has no credit left (HTTP {status}{said})."
        return RateLimitError(what, hint=_ADD_CREDIT, **context)
    if status == 429:
        return RateLimitError(
            f"{where} refuses: too many requests or tokens (HTTP 429{said}).",
            hint=f"Wait {_shown_wait(context['retry_after_s'])}, or set LUMOS_MAX_RETRIES to more than it is.",
            **context,
        )
    if status in {400, 413, 422} and refusal.is_too_long:
        what = f"The conversation does not fit {where} (HTTP {status}{said})."
        return ContextLengthError(what, hint=_SHORTEN, **context)
    if status >= 500:
        hint = "Run it again in a while, or use another model."
        return OverloadedError(f"{where} cannot answer now (HTTP {status}{said}).", hint=hint, **context)
    hint = "Check the model, the tools and the options of this call; the server's words are above."
    return ProviderError(f"{where} refused the request (HTTP {status}{said}).", hint=hint, **context)


def _refused_key(where: str, status: int, said: str, key_env: tuple[str, ...], signing: str) -> CredentialError:
    if signing:
        hint = f"Check your {signing.upper()} credentials, and that they may use this model."
    elif key_env:
        hint = f"Check the key in {key_env[0]}, and that it may use this model."
    elif status == 403:
        hint = "Look at what the key may use at this server; a server's key is passed as api_key=…."
    else:
        hint = "Pass the server's key as api_key=…."
    what = "refused the key" if status == 401 else "does not allow this"
    return CredentialError(f"{where} {what} (HTTP {status}{said}).", hint=hint)


def _moved(provider: str, url: str, status: int, headers: Mapping[str, str]) -> ProviderError:
    """Return the error for a redirect: it is not followed, for the key would go along to wherever it leads."""
    target = _target(url, headers.get("location", ""))
    what = f"{provider!r} at {url} is not there: it answers with a redirect (HTTP {status})"
    if not target:
        return ProviderError(f"{what} that names no address.", hint="Check base_url.", provider=provider, status=status)
    base = _CALL_PATH.sub("", target) or target
    hint = f"Set base_url to {base}, if that is the server you mean."
    return ProviderError(f"{what} to {target}.", hint=hint, provider=provider, status=status)


_CALL_PATH = re.compile(
    r"/(chat/completions|responses|messages|(api/)?chat|models(/[^/]+:\w+)?|model/[^/]+/converse-stream)/?$"
)


def _target(url: str, location: str) -> str:
    """Return where a redirect leads, without what may be secret: name, password, query and fragment.

    Example:
        >>> _target("http://host/v1", "https://ada:pw@host/v1/chat/completions?key=k#x")
        'https://host/v1/chat/completions'
        >>> _target("http://host:8000/v1", "/api/v1")
        'http://host:8000/api/v1'
    """
    try:
        parts = urlsplit(urljoin(url, location.strip()))
    except ValueError:
        return ""
    address = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
    return shorten(address.geturl()) if location.strip() else ""


_LONGEST_S = 86_400.0


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the server asks to wait, if it does.

    Example:
        >>> retry_after_s({"retry-after-ms": "1500", "retry-after": "9"})
        1.5
    """
    try:
        if value := headers.get("retry-after-ms"):
            return max(0.0, float(value) / 1000)
        value = headers.get("retry-after", "")
        if not value:
            return None
        if re.fullmatch(r"\s*\d+(\.\d+)?\s*", value):
            return min(float(value), _LONGEST_S)
        return max(0.0, parsedate_to_datetime(value).timestamp() - time())
    except ValueError:
        return None


def _shown_wait(seconds: float | None) -> str:
    return "a while" if seconds is None else f"{seconds:g} s"
