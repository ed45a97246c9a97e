"""Request in, bytes out: the one seam between Lumos and the network.

A transport knows nothing of models. The default one uses httpx; a tape or a double is another.
"""

from __future__ import annotations

from lumos_nb.transport.base import Request, Response, Transport

__all__ = ["Request", "Response", "Transport", "default_transport"]

_default: Transport | None = None


def default_transport() -> Transport:
    """Return the transport that all providers of this process share, so that they share connections.

    Example:
        >>> default_transport() is default_transport()
        True
    """
    global _default
    if _default is None:
        from lumos_nb.transport.httpx_transport import HttpxTransport

        _default = HttpxTransport()
    return _default
