"""Which certificates are trusted: the same for every transport.

One idea: loading them takes tens of milliseconds, so it is done once a process.
"""

from __future__ import annotations

import functools
import os
import ssl

from lumos_nb.errors import UsageError


@functools.cache
def ssl_context() -> ssl.SSLContext:
    """Return the context for servers elsewhere: `SSL_CERT_FILE` or `SSL_CERT_DIR`, else the usual authorities.

    Example:
        >>> ssl_context().verify_mode.name
        'CERT_REQUIRED'

    Raises:
        UsageError: They cannot be read.
    """
    import certifi

    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    try:
        if folder and not file:
            return ssl.create_default_context(capath=folder)
        return ssl.create_default_context(cafile=file or certifi.where())
    except OSError as error:  # an `SSLError` too, for a file that holds no certificate
        what = f"The certificates in {file or folder or certifi.where()!r} cannot be read: {error.strerror or error}."
    raise UsageError(what, hint="Correct SSL_CERT_FILE or SSL_CERT_DIR, or unset it for the usual authorities.")
