"""Which certificates are trusted: the same for every transport.

One idea: loading them takes tens of milliseconds, so it is done once a process.
"""

from __future__ import annotations

import functools
import os
import ssl


@functools.cache
def ssl_context() -> ssl.SSLContext:
    """Return the context for servers elsewhere: `SSL_CERT_FILE` or `SSL_CERT_DIR`, else the usual authorities.

    Example:
        >>> ssl_context().verify_mode.name
        'CERT_REQUIRED'
    """
    import certifi

    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file:
        return ssl.create_default_context(cafile=file)
    return ssl.create_default_context(capath=folder) if folder else ssl.create_default_context(cafile=certifi.where())
