"""Request in, bytes out: the one seam between Lumos and the network.

A transport knows nothing of models. There is one on httpx and a faster one on aiohttp; a tape or a double is another.
"""

from __future__ import annotations

from lumos_nb import settings
from lumos_nb.errors import UsageError
from lumos_nb.transport.base import Request, Response, Transport

__all__ = ["Request", "Response", "Transport", "default_transport", "new_transport"]

_made: dict[str, Transport] = {}


def default_transport() -> Transport:
    """Return the transport that all providers of this process share, so that they share connections.

    The setting `transport` names it; as it is, the fast one is used where it is installed.

    Example:
        >>> default_transport() is default_transport()
        True
    """
    name = settings.current().transport
    if name not in _made:
        _made[name] = new_transport(name)
    return _made[name]


def new_transport(name: str) -> Transport:
    """Return a transport that shares no connection: "auto", "aiohttp" or "httpx".

    Raises:
        UsageError: It is not installed.
    """
    if name != "httpx":
        try:
            from lumos_nb.transport.aiohttp_transport import AiohttpTransport
        except (ImportError, AttributeError) as error:  # not there, too old, or not what the packages below it expect
            if name == "aiohttp":
                raise UsageError(
                    f"The transport 'aiohttp' cannot be used: {error}.", hint="Run `pip install lumos-nb[fast]`."
                ) from None
        else:
            return AiohttpTransport()
    from lumos_nb.transport.httpx_transport import HttpxTransport

    return HttpxTransport()
