"""A model behind HTTP: a vendor's row, a wire format and a transport, put together.

One idea: nothing of a response is kept on the provider, so any number of streams may run at
once; and a try is repeated only as long as the caller has seen nothing of it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractContextManager, aclosing, nullcontext
from typing import TYPE_CHECKING, Any

import msgspec

from lumos_nb import clock, tapes
from lumos_nb._version import __version__
from lumos_nb.credentials import Secret
from lumos_nb.errors import LumosError, ProviderError, UsageError, nearest
from lumos_nb.events import ModelEvent, Restart
from lumos_nb.hiding.addresses import without_secrets
from lumos_nb.hiding.forms import hidden, hidden_bytes
from lumos_nb.hiding.sent import secrets_in
from lumos_nb.messages import Message, valid
from lumos_nb.providers.accepts import taken
from lumos_nb.providers.adapt import Adapted, adapted
from lumos_nb.providers.addresses import joined, model_names
from lumos_nb.providers.auth import Authorized, headers_of, key_of, signed
from lumos_nb.providers.base import UNWATCHED, Ask, BatchedProvider, ModelOptions, OnWait, OutputSchema, ToolSpec, Watch
from lumos_nb.providers.exchange import Exchange, Keep
from lumos_nb.providers.failures import from_status
from lumos_nb.providers.gate import turn
from lumos_nb.providers.response import read_batches
from lumos_nb.providers.retry import asking_again, retrying, wait_s
from lumos_nb.providers.vendors import Vendor, expanded
from lumos_nb.providers.wire import WireRequest, load_format
from lumos_nb.providers.wire.encoding import with_valid_names
from lumos_nb.transport import Request, Response, Transport, default_transport

if TYPE_CHECKING:
    from lumos_nb.tapes.deck import Reads

_TAKES_NO_TOOLS = re.compile(
    r"does not support (?:tool|function)|tools? (?:is|are) not supported|not support(?:ed)? (?:tool|function) call"
    r"|tool-call-parser|tools param requires --jinja",
    re.IGNORECASE,
)


class HttpProvider(BatchedProvider):
    """A model at a vendor or on a server of your own; `llm()` makes one.

    Args:
        vendor: The vendor's row.
        model: The model's name there.
        base_url: Address up to the version.
        key: The key; None: the vendor's environment variables are read at each call.
        format: Wire format; empty: the row's.
        transport: What carries the requests; None: the one that the process shares.
    """

    def __init__(
        self,
        vendor: Vendor,
        model: str,
        *,
        base_url: str,
        key: Secret | None = None,
        format: str = "",
        transport: Transport | None = None,
    ) -> None:
        self.provider = vendor.id
        self.model = model
        self.supports_function_calling = vendor.supports_function_calling
        self.vendor = vendor
        self.base_url = base_url.rstrip("/")
        self.format = format or vendor.format
        self._quirks = vendor.format_quirks.get(self.format, vendor.quirks)
        self._key = key
        self._format = load_format(self.format)
        self._transport = transport
        # The same for every request, so made once.
        self._url = joined(self.base_url, self._format.path(model))
        self._shown_url = without_secrets(self._url)

    @property
    def origin(self) -> str:
        """What signatures of answers are bound to: the vendor, and the format if it is not the usual one."""
        return self.provider if self.format == self.vendor.format else f"{self.provider}:{self.format}"

    @property
    def transport(self) -> Transport:
        """What carries the requests, the tape in force over it."""
        return self._carrier()

    def _carrier(self, reads: Reads | None = None) -> Transport:
        transport = self._transport or default_transport()
        deck = tapes.current()
        return transport if deck is None else deck.over(Authorized(transport, self._authorized), reads)

    async def _authorized(self, request: Request) -> Request:
        """Return a request that is sent after all, with a tape in force, with what that takes."""
        self._headers(is_key_needed=self._needs_key)
        return await signed(self.vendor, request) if self._signing else request

    async def generate_batches(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),
        options: ModelOptions | None = None,
        watch: Watch = UNWATCHED,
    ) -> AsyncGenerator[list[ModelEvent], None]:
        """Yield the events of each read together; see `BatchedProvider.generate_batches`."""
        # One generator from the network to the caller: each more costs every read, and memory in every run.
        ask = Ask(messages=tuple(messages), tools=tuple(tools), options=options or ModelOptions())
        on_wait = watch.on_wait
        call, attempt = self._call(ask, watch.traceparent), 0
        while True:
            has_begun, request = False, call.request
            try:
                if self._signing and tapes.current() is None:
                    request = await signed(self.vendor, request)
                async with turn(self._url, on_wait):
                    with self._exchange(request, watch) as exchange:
                        async with self._carrier(self._reads).open(request) as response:
                            if response.tape and on_wait is not None:
                                on_wait({"kind": "replayed", "tape": response.tape})
                            keep = None if exchange is None else exchange.answered(response)
                            if response.status != 200:
                                raise self._refusal(response, await _refused(response, keep), request)
                            async with aclosing(self._reads(response, keep)) as batches:
                                async for batch in batches:
                                    has_begun = True
                                    if shown := call.adapted.feed(batch):
                                        yield shown
                return
            except LumosError as error:
                failure = self._cleaned(error, request)
            if call.has_tools and _refuses_tools(failure):
                call, attempt = self._without_tools(ask, watch), 0
                continue
            seconds = None if has_begun and not ask.options.retry_broken else wait_s(failure, attempt)
            if seconds is None:
                if held := call.adapted.flush():
                    yield held
                # Outside the except block, or the error shows with its own cause as a second one.
                raise await self._with_near_models(failure)
            attempt += 1
            call.request = msgspec.structs.replace(call.request, attempt=attempt + 1)
            await _wait(failure, seconds, attempt, on_wait)
            if has_begun:
                yield call.adapted.feed([Restart()])

    def _exchange(self, request: Request, watch: Watch) -> AbstractContextManager[Exchange | None]:
        if watch.on_exchange is None:
            return _UNKEPT
        return Exchange(request, self._shown_url, self._find_key(), watch.on_exchange)

    def _call(self, ask: Ask, traceparent: str = "") -> _Call:
        """Return a call as it is sent now; what the model lacks is made up for around it."""
        can_call = self.supports_function_calling
        call = adapted(
            ask,
            supports_function_calling=can_call,
            structured=self._way_to(ask.options.output),
            beside_tools=self._quirks.is_structured_beside_tools,
        )
        return _Call(adapted=call, request=self._request(call.ask, traceparent), has_tools=can_call and bool(ask.tools))

    def _without_tools(self, ask: Ask, watch: Watch) -> _Call:
        """Return the call with its tools in words: only the server knows what its model can do; now we know too."""
        self.supports_function_calling = False
        if watch.on_wait is not None:
            watch.on_wait({"state": f"{self.model} takes no tools: describing them in the prompt"})
        return self._call(ask, watch.traceparent)

    def _reads(self, response: Response, keep: Keep | None = None) -> AsyncGenerator[list[ModelEvent], None]:
        is_sse = self._format.ACCEPT == "text/event-stream"
        return read_batches(response, self._format.Decoder(self._quirks), self._shown_url, is_sse=is_sse, keep=keep)

    def _way_to(self, output: OutputSchema | None) -> str:
        """Return how an answer gets its form; one that the format cannot hold it to is asked for in words."""
        holds = getattr(self._format, "holds", None)
        is_held = output is None or holds is None or holds(output.schema)
        return self._quirks.structured if is_held or self._quirks.structured != "schema" else "prompt"

    async def list_models(self) -> list[str]:
        """Return the names of the models that the server offers."""
        path = self._format.MODELS_PATH
        if not path:
            return []
        url = joined(self.base_url, path)
        request = Request(url=url, method="GET", headers=self._headers(), read_timeout_s=10.0, first_byte_timeout_s=0)
        async with self.transport.open(request) as response:
            body = await response.read(16_000_000)
            if response.status != 200:
                raise self._refusal(response, body, request)
        return model_names(body)

    async def aclose(self) -> None:
        """Close the connections of this event loop that nothing uses."""
        await self.transport.aclose()

    def _request(self, ask: Ask, traceparent: str = "") -> Request:
        wire = WireRequest(
            model=self.model,
            messages=with_valid_names(taken(ask.messages, self.vendor)),
            tools=ask.tools,
            options=ask.options,
            quirks=self._quirks,
            origin=self.origin,
        )
        headers = {**self._headers(), "content-type": "application/json", "accept": self._format.ACCEPT}
        if traceparent:
            headers["traceparent"] = traceparent
        body = self._format.encode(wire)
        if [] in (body.get(name) for name in ("messages", "contents", "input")):
            raise UsageError("There is nothing to ask: all messages are empty.", hint="Ask something in one of them.")
        return Request(url=self._url, headers=headers, body=_encoded(body))

    @property
    def _needs_key(self) -> bool:
        return self.vendor.needs_key and self.base_url == expanded(self.vendor.address(self.format))

    def _headers(self, *, is_key_needed: bool | None = None) -> dict[str, str]:
        # What is played needs none; what is sent is looked at once more then.
        is_needed = self._needs_key and tapes.current() is None if is_key_needed is None else is_key_needed
        headers = headers_of(
            self.vendor,
            self._find_key(),
            is_needed=is_needed,
            key_header="" if self.format == self.vendor.format else getattr(self._format, "KEY_HEADER", ""),
        )
        return {"user-agent": f"lumos-nb/{__version__}", **getattr(self._format, "HEADERS", {}), **headers}

    def _find_key(self) -> Secret | None:
        return self._key or key_of(self.vendor)

    @property
    def _signing(self) -> str:
        """How requests are signed; empty: they are not, or there is a key."""
        return "" if self.vendor.signing and self._find_key() else self.vendor.signing

    def _refusal(self, response: Response, body: bytes, request: Request) -> LumosError:
        return from_status(
            provider=self.provider,
            model=self.model,
            url=without_secrets(self.base_url),
            status=response.status,
            headers=response.headers,
            # Before anything is cut: half a key is found by no search for the whole one.
            body=hidden_bytes(body, secrets_in(request, self._find_key())),
            key_env=self.vendor.key_env if self._key is None else (),
            signing=self._signing,
        )

    async def _with_near_models(self, failure: LumosError) -> LumosError:
        """Return an error about an unknown model with those most like it, if the server tells them."""
        if isinstance(failure, ProviderError) and failure.status == 404:
            try:
                names = await self.list_models()
            except LumosError:
                return failure
            failure.hint = failure.hint if self.model in names else nearest(self.model, names) or failure.hint
        return failure

    def _cleaned(self, error: LumosError, request: Request) -> LumosError:
        """Return `error` with the vendor's name, and without the secrets that the server may have sent back."""
        secrets = secrets_in(request, self._find_key())
        error.message, error.hint = hidden(error.message, secrets), hidden(error.hint, secrets)
        error.args = (error.message,)
        if isinstance(error, ProviderError):
            error.provider = error.provider or self.provider
            error.request_id = error.request_id and hidden(error.request_id, secrets)
        return error


class _Call(msgspec.Struct, kw_only=True):
    """A model call as it is sent; another try is another request."""

    adapted: Adapted
    request: Request
    #: Whether it is sent with tools.
    has_tools: bool


_UNKEPT: AbstractContextManager[None] = nullcontext()


async def _refused(response: Response, keep: Keep | None) -> bytes:
    """Return the body of a refusal, and keep it."""
    body = await response.read()
    if keep is not None:
        keep(body)
    return body


def _refuses_tools(failure: LumosError) -> bool:
    return getattr(failure, "status", None) is not None and bool(_TAKES_NO_TOOLS.search(failure.message))


async def _wait(failure: LumosError, seconds: float, attempt: int, on_wait: OnWait | None) -> None:
    if on_wait is not None:
        on_wait(retrying(failure, seconds, attempt))
    await clock.sleep(seconds)
    if on_wait is not None:
        on_wait(asking_again(attempt))


def _encoded(body: dict[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:  # half a surrogate pair, as in names of files; JSON cannot hold it
        encoded: bytes = msgspec.json.encode(valid(body))
        return encoded
