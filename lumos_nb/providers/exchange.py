"""One request to a model and its answer, byte for byte, for who keeps them.

One idea: what is seen here is what was on the wire. Whoever keeps it leaves secrets out: `Exchange`
names the key that was sent, and `hiding.headers.safe_headers` those headers that hold none.
"""

from __future__ import annotations

from collections.abc import Callable

from lumos_nb import clock
from lumos_nb.credentials import Secret
from lumos_nb.errors import LumosError
from lumos_nb.transport import Request, Response

Keep = Callable[[bytes], None]
"""Takes a piece of a body."""


class Exchange:
    """A request that is sent, and what comes back: `with` it around both; whoever asked for it gets it at the end.

    Attributes:
        request: As it was sent, its key included.
        url: Its address without keys.
        key: The key that was sent, if one was.
        started_at: Unix time in seconds.
        response: Status and headers; None where no answer came.
        chunks: The answer's body as it arrived, so far as it was read.
        first_byte_s: Seconds from sending to the first piece of the body, or None.
        duration_s: Seconds from sending to the end.
        status: ok, refused, broken or cancelled.
        error_type: What it ended with, or None.
    """

    __slots__ = (
        "_clock", "_on_end", "chunks", "duration_s", "error_type", "first_byte_s", "key", "request", "response",
        "started_at", "status", "url",
    )  # fmt: skip

    def __init__(self, request: Request, url: str, key: Secret | None, on_end: Callable[[Exchange], None]) -> None:
        self.request, self.url, self.key, self._on_end = request, url, key, on_end
        self.response: Response | None = None
        self.chunks: list[bytes] = []
        self.first_byte_s: float | None = None
        self.duration_s = 0.0
        self.status = "cancelled"
        self.error_type: str | None = None

    def __enter__(self) -> Exchange:
        self.started_at, self._clock = clock.time(), clock.perf_counter()
        return self

    def answered(self, response: Response) -> Keep:
        """Take the beginning of the answer; return what takes its body."""
        self.response = response
        return self._keep

    def _keep(self, chunk: bytes) -> None:
        if self.first_byte_s is None:
            self.first_byte_s = clock.perf_counter() - self._clock
        self.chunks.append(chunk)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.duration_s = clock.perf_counter() - self._clock
        if error is None:
            self.status = "ok"
        elif isinstance(error, LumosError):
            is_refused = self.response is not None and self.response.status != 200
            self.status, self.error_type = "refused" if is_refused else "broken", type(error).__name__
        self._on_end(self)
