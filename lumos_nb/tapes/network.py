"""No way out while a tape is played: whoever wants to reach another machine is told so.

One idea: every library of Python ends at the same few calls of `socket`, and Python tells an audit hook of each. The
hook asks, at that moment, which tape is in force, so there is no switch that could be forgotten.

Only Python's own sockets are seen: not what another process does (`!curl`, `subprocess`), nor native code with sockets
of its own (libcurl, c-ares, ZeroMQ, uvloop); and a name given to `socket.connect` itself is looked up before Python
says so. In CI a container without a network is the wall behind this one.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
import threading
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from lumos_nb import settings
from lumos_nb.errors import LumosError, NetworkForbidden

if TYPE_CHECKING:
    from lumos_nb.tapes.deck import Deck

_EVENTS = frozenset(
    {"socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname",
     "socket.gethostbyaddr", "socket.getnameinfo"}
)  # fmt: skip
_KEPT = 100

_is_watching = False
_resolved: set[str] = set()
_asking = threading.local()


def watch() -> None:
    """Forbid other machines from now on whenever a tape is played; once for a process, a hook cannot be taken out.

    A deck that only plays calls it.
    """
    global _is_watching
    if not _is_watching:
        _is_watching = True
        sys.addaudithook(_hook)


def _hook(event: str, args: tuple[Any, ...]) -> None:
    # Of every import and every open file, too: nothing more is done for those.
    if event in _EVENTS and not getattr(_asking, "is_on", False):
        _asking.is_on = True
        try:
            _check(event, args)
        finally:
            _asking.is_on = False


def _check(event: str, args: tuple[Any, ...]) -> None:
    host, port = _target(event, args)
    if host is None or is_here(host):
        return
    deck, problem = _playing()
    if (deck is None and not problem) or _is_allowed(host, is_name=event == "socket.getaddrinfo"):
        return
    shown = f"{host}:{port}" if isinstance(port, int) and port else host
    # A library may take the error for a bad line, and go on.
    if deck is not None and len(deck.tried) < _KEPT:
        deck.tried.append(shown)
    what, why = ("a tape", f" It cannot be: {problem}") if deck is None else (f"the tape {deck.name!r}", "")
    raise NetworkForbidden(
        f"{shown!r} was to be reached, and while {what} is played no other machine is.{why}",
        hint=f"Allow it with LUMOS_TAPE_HOSTS={host}, tag the cell lumos-live, or type: %lumos tape off",
    )


def _target(event: str, args: tuple[Any, ...]) -> tuple[str | None, Any]:
    """Return host and port of a call; None where it is no machine of a network."""
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        family, address = getattr(args[0], "family", None), args[1]
        if family not in {socket.AF_INET, socket.AF_INET6} or not isinstance(address, tuple) or not address:
            return None, None
        return _text(address[0]), address[1] if len(address) > 1 else None
    if event == "socket.getnameinfo":
        address = args[0]
        return (_text(address[0]), None) if isinstance(address, tuple) and address else (None, None)
    return _text(args[0]), args[1] if event == "socket.getaddrinfo" else None


def _text(host: object) -> str | None:
    if isinstance(host, (bytes, bytearray)):
        host = bytes(host).decode("ascii", "replace")
    return host.strip().rstrip(".").lower() if isinstance(host, str) else None


def is_here(host: str) -> bool:
    """Return whether a host is this machine, by its name or any spelling of its address.

    Example:
        >>> [is_here(host) for host in ("127.9.9.9", "::1", "0.0.0.0", "::ffff:127.0.0.1", "127.1", "10.0.0.1")]
        [True, True, True, True, True, False]
    """
    if host in {"", "localhost"} or host.endswith(".localhost"):
        return True
    address = _address(host)
    if address is None:
        return host == socket.gethostname().lower()
    return address.is_loopback or address.is_unspecified


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        try:  # 127.1, 0x7f000001: whatever the C library takes for an address
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except (OSError, ValueError):
            return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _playing() -> tuple[Deck | None, str]:
    """Return the deck that is played, if one is; where one is to be played and cannot be, why."""
    from lumos_nb.tapes.modes import current, mode_of

    try:
        deck = current()
    except LumosError as error:
        with suppress(LumosError):
            return None, error.message if mode_of(settings.current()).startswith("replay") else ""
        return None, ""
    return (deck if deck is not None and deck.is_replaying else None), ""


def _is_allowed(host: str, *, is_name: bool) -> bool:
    given = [each.strip().lower() for each in settings.current().tape_hosts.split(",") if each.strip()]
    if not given:
        return False
    if any(_fits(host, pattern) for pattern in given):
        if is_name and _address(host) is None:
            _resolve(host)
        return True
    if host in _resolved:
        return True
    for name in given:  # whose address may have changed, or that was looked up before this began
        if "*" not in name and "/" not in name and _address(name) is None:
            _resolve(name)
    return host in _resolved


def _fits(host: str, pattern: str) -> bool:
    if "/" in pattern and (address := _address(host)) is not None:
        try:
            return address in ipaddress.ip_network(pattern, strict=False)
        except ValueError:
            return False
    return fnmatchcase(host, pattern)


def _resolve(host: str) -> None:
    try:
        found = socket.getaddrinfo(host, None)
    except OSError:
        return
    _resolved.update(str(address[0]).lower() for *_, address in found)
