"""How a request shows who sends it: a key in a header, or a signature.

One idea: this is the one place where a key goes into a request.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import msgspec

from lumos_nb import settings
from lumos_nb.credentials import Secret, find_key, find_stored_key
from lumos_nb.errors import CredentialError, MissingDependencyError
from lumos_nb.providers.vendors import Vendor
from lumos_nb.transport import Request, Response, Transport


def key_of(vendor: Vendor) -> Secret | None:
    """Return a vendor's key: from the settings, else the environment, else the keyring.

    Example:
        >>> from lumos_nb.providers.vendors import VENDORS
        >>> key_of(VENDORS["local"]) is None
        True
    """
    if not vendor.key_env:
        return settings.current().keys.get(vendor.id)
    return settings.current().keys.get(vendor.id) or find_key(vendor.key_env) or find_stored_key(vendor.id)


def headers_of(vendor: Vendor, key: Secret | None, *, is_needed: bool, key_header: str = "") -> dict[str, str]:
    """Return the headers that carry the key and whatever else the vendor wants in each request.

    Args:
        vendor: The vendor's row.
        key: Its key, if there is one.
        is_needed: Whether it is an error that there is none.
        key_header: Header for the key; empty: the row's.

    Raises:
        CredentialError: There is no key and one is needed, or it cannot be one.
    """
    if key is None:
        if is_needed and not vendor.signing:
            raise CredentialError(
                f"Provider {vendor.id!r} has no API key.",
                hint=f"Set {vendor.key_env[0]}, or run %lumos login {vendor.id}.",
            )
        return dict(vendor.headers)
    text = key.reveal()
    if not text.isascii() or not text.isprintable():
        raise CredentialError(f"The key for {vendor.id!r} holds characters that no key has.", hint="Copy it again.")
    name = key_header or vendor.key_header
    return {**vendor.headers, name: f"Bearer {text}" if name == "authorization" else text}


async def signed(vendor: Vendor, request: Request) -> Request:
    """Return a request with the signature that the vendor's row asks for. It holds for some minutes.

    The credentials are found as AWS's own tools find them: in the environment, in the files under
    `~/.aws`, at a login. That may take a moment, so it is done in a thread.

    Raises:
        MissingDependencyError: The package for it is not installed.
        CredentialError: There are no credentials, or they cannot be loaded.
    """
    if importlib.util.find_spec("botocore") is None:
        raise MissingDependencyError(
            f"Requests to {vendor.id!r} without an API key are signed, which needs a package.",
            hint=f'Run: pip install "lumos-nb[bedrock]", or set {vendor.key_env[0]}.',
        )
    return await asyncio.to_thread(_signed_for_aws, vendor, request)


class Authorized:
    """A transport that sends a request only with what it takes to be let in: below a tape, so nothing played needs it.

    Args:
        over: What carries the requests.
        authorize: Returns a request with all that it takes, or raises.
    """

    def __init__(self, over: Transport, authorize: Callable[[Request], Awaitable[Request]]) -> None:
        self._over, self._authorize = over, authorize

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[Response]:
        """Send `request`; see `Transport.open`.

        Raises:
            CredentialError: There is no key, and one is needed.
        """
        async with self._over.open(await self._authorize(request)) as response:
            yield response

    async def aclose(self) -> None:
        """Close what is below."""
        await self._over.aclose()


def _signed_for_aws(vendor: Vendor, request: Request) -> Request:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    credentials = _aws_credentials(vendor)
    # Only what no proxy changes is signed: the address, the body, and what the signature adds.
    bare = AWSRequest(method=request.method, url=request.url, data=request.body)
    SigV4Auth(credentials, "bedrock", aws_region(request.url)).add_auth(bare)
    return msgspec.structs.replace(request, headers={**request.headers, **dict(bare.headers.items())})


def _aws_credentials(vendor: Vendor) -> Any:
    """Return the credentials as they are now; they are looked for again when the environment changes."""
    # By value: another profile or key in the environment takes effect with the next request.
    environ = hash(tuple(sorted(item for item in os.environ.items() if item[0].startswith("AWS_"))))
    try:
        found = _found.get(environ) or _find_aws_credentials()
        frozen = found and found.get_frozen_credentials()
    except Exception as error:  # a broken file, a login that is over, a service that does not answer
        failure = f"The AWS credentials for {vendor.id!r} cannot be loaded: {type(error).__name__}."
    else:
        if frozen:
            _found.clear()
            _found[environ] = found
            return frozen
        failure = f"Provider {vendor.id!r} has neither an API key nor AWS credentials."
    raise CredentialError(
        failure,
        hint=f"Set {vendor.key_env[0]}, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or log in "
        "with the AWS CLI; for the role of an EC2 instance also set AWS_EC2_METADATA_DISABLED=false.",
    )


_found: dict[int, Any] = {}


def _find_aws_credentials() -> Any:
    from botocore.session import Session

    session = Session()
    resolver = session.get_component("credential_provider")
    if os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() != "false":
        # Where there is no such service, and mostly there is none, asking it hangs for seconds.
        resolver.remove("iam-role")
    return resolver.load_credentials()


def aws_region(url: str) -> str:
    """Return the region of an address; one without a region gets the environment's.

    Example:
        >>> aws_region("https://bedrock-runtime.eu-central-1.amazonaws.com/model/m/converse-stream")
        'eu-central-1'
    """
    labels = (urlsplit(url).hostname or "").split(".")
    named = next((label for label in labels if re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d+", label)), "")
    return named or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
