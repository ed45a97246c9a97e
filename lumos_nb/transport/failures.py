"""What to tell a person when the network fails.

One idea: an error names the address and the one thing to look at next; nobody should have to
read the name of an httpx class.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from lumos_nb.errors import ProviderError, StreamError
from lumos_nb.hiding.addresses import without_secrets, without_userinfo

_READ_TIMEOUT = {"ReadTimeout", "SocketTimeoutError"}
_CONNECT_TIMEOUT = {"ConnectTimeout", "ConnectionTimeoutError"}
#: A kept connection that the server has closed meanwhile.
_STALE = {
    "RemoteProtocolError", "ReadError", "WriteError", "ServerDisconnectedError", "ClientOSError",
    "ClientConnectionResetError", "ConnectionResetError", "BrokenPipeError",
}  # fmt: skip
_BAD_HEADER = {"LocalProtocolError", "UnicodeEncodeError", "ValueError"}
_BAD_ADDRESS = {
    "InvalidURL", "UnsupportedProtocol", "UnicodeError", "InvalidUrlClientError", "NonHttpUrlClientError",
}  # fmt: skip


def explain(error: BaseException, url: str, *, is_streaming: bool) -> ProviderError:
    """Return the error that stands for `error`, which came up at `url`.

    Args:
        is_streaming: Whether the answer had begun.

    Example:
        >>> print(explain(ConnectionRefusedError(111, "refused"), "http://127.0.0.1:9/v1", is_streaming=False))
        Nothing answers at http://127.0.0.1:9/v1. Start the server there, or correct base_url.
    """
    url = without_secrets(url)
    if is_streaming:
        return _broken(error, url)
    if type(error).__name__ in _READ_TIMEOUT:
        return timed_out("read_timeout_s", url, is_streaming=False)
    what, hint, is_temporary = _unreached(error, url)
    is_stale = type(error).__name__ in _STALE  # a new one will do, without a wait
    return ProviderError(what, hint=hint, is_temporary=is_temporary, retry_after_s=0.0 if is_stale else None)


def timed_out(setting: str, url: str, *, is_streaming: bool) -> ProviderError:
    """Return the error for an exchange that a time limit has ended.

    Args:
        setting: The setting that holds the limit: `first_byte_timeout_s`, `read_timeout_s` or `total_timeout_s`.
        is_streaming: Whether the body had begun.

    Example:
        >>> print(timed_out("total_timeout_s", "http://h/v1", is_streaming=True).hint)
        Ask for less, or set LUMOS_TOTAL_TIMEOUT_S to more seconds; 0 is no limit.
    """
    url = without_secrets(url)
    name = f"LUMOS_{setting.upper()}"
    kind = StreamError if is_streaming else ProviderError
    if setting == "total_timeout_s":
        what = f"The answer from {url} was not over in the time that {setting} allows."
        # Asked again, it would take as long.
        return kind(what, hint=f"Ask for less, or set {name} to more seconds; 0 is no limit.", is_temporary=False)
    what = f"{url} took the request and sent nothing of an answer for the time that {setting} allows."
    if is_streaming:
        what = f"The answer from {url} stopped: no byte arrived for the time that {setting} allows."
    return kind(what, hint=f"Look at the server's load, or set {name} to more seconds.", is_temporary=True)


def unsent(url: str) -> ProviderError:
    """Return the error for a request that the server did not take in time."""
    return ProviderError(
        f"{without_userinfo(url)} did not take the whole request in the time that read_timeout_s allows.",
        hint="Look at the server's load, or set LUMOS_READ_TIMEOUT_S to more seconds.",
        is_temporary=True,
    )


def _broken(error: BaseException, url: str) -> ProviderError:
    if "Timeout" in type(error).__name__:
        return timed_out("read_timeout_s", url, is_streaming=True)
    what = f"The answer from {url} broke off: the connection was closed in the middle."
    hint = "Run it again; if it breaks off at the same point, look at the server's log or the proxy in between."
    return StreamError(what, hint=hint, is_temporary=True)


def _unreached(error: BaseException, url: str) -> tuple[str, str, bool]:
    causes = list(_causes(error))
    name = type(error).__name__
    text = " ".join(str(c) for c in causes)
    if name in _BAD_HEADER:
        # The error's own text may quote the header that holds the key.
        return (
            f"The headers for {url} cannot be sent.",
            "Check that the key has no stray characters.",
            False,
        )
    if name in _BAD_ADDRESS:
        return (
            f"A request to {url!r} cannot be sent: {_first_line(error)}.",
            "Check that base_url begins with http:// or https://.",
            False,
        )
    if "Proxy" in name:
        hint = "Check HTTPS_PROXY and HTTP_PROXY, or add the host to NO_PROXY."
        return f"The proxy on the way to {url} refused the connection.", hint, True
    if any(isinstance(c, socket.gaierror) for c in causes) or "getaddrinfo" in text or "Name or service" in text:
        host = urlsplit(url).hostname
        hint = "Check base_url for a typing error, and that this machine has a network."
        return f"The host {host!r} of {url} was not found.", hint, True
    if name in _CONNECT_TIMEOUT:
        hint = "Check base_url and the network, or set LUMOS_CONNECT_TIMEOUT_S to more seconds."
        return f"{url} could not be reached in the time that connect_timeout_s allows.", hint, True
    # Last but the general ones: a time-out of httpx has an `SSLError` behind it that says nothing.
    insecure = next((c for c in causes if isinstance(c, ssl.SSLError)), error if "CERTIFICATE" in text else None)
    if insecure is not None:
        hint = "Check that base_url is right, and SSL_CERT_FILE if the server has a certificate of its own."
        return f"No secure connection to {url} could be made: {_first_line(insecure)}.", hint, False
    if "Timeout" in name:
        late = unsent(url)
        return late.message, late.hint, True
    refused = any(isinstance(c, ConnectionRefusedError) or getattr(c, "errno", 0) == errno.ECONNREFUSED for c in causes)
    if refused or "ConnectError" in name:
        return f"Nothing answers at {url}.", "Start the server there, or correct base_url.", True
    hint = "Run it again; if it stays so, look at the server's log or the proxy in between."
    return f"{url} closed the connection without an answer.", hint, True


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        if isinstance(error, BaseExceptionGroup):
            yield from error.exceptions
        error = error.__cause__ or error.__context__


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
