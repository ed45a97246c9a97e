"""Every error that Lumos raises, on one page.

One idea: an error has an audience and says two things, what happened and what to do next.
A `LumosError` shows in a cell as these sentences, never as a wall of frames.

```
LumosError
├── UsageError            called wrong; nothing was sent
│   ├── SettingsError, MissingDependencyError, ToolDefinitionError, InterpolationError
├── CredentialError       no key, or refused
├── ProviderError         .provider .status .request_id .retry_after_s
│   ├── RateLimitError, OverloadedError, ContextLengthError, StreamError
├── ToolError             .message is what the model is told
├── OutputError           .text is the answer that has not the form asked for
├── LimitExceededError    .limit .used
├── StoreError
│   ├── ThreadNotFoundError, ConflictError
├── TapeError
│   ├── TapeMiss, TapeUnused, TapeDrift, SecretOnTape, NetworkForbidden
└── LumosCancelled        the run was stopped
AgentInterrupted          a KeyboardInterrupt: the person stopped the run in this cell
```
"""

from __future__ import annotations

from collections.abc import Iterable


class LumosError(Exception):
    """Base of all errors of this library: what happened, then what to do.

    Args:
        message: What happened, with names quoted.
        hint: What to do about it, a full sentence. Shown after the message.

    Example:
        >>> str(LumosError("Thread 'sale' does not exist.", hint="Did you mean 'sales'?"))
        "Thread 'sale' does not exist. Did you mean 'sales'?"
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()

    def _render_traceback_(self) -> list[str]:
        """Show the two sentences in IPython instead of the frames."""
        return [line for line in (f"{type(self).__name__}: {self.message}", self.hint) if line]


class UsageError(LumosError):
    """Something was called wrong. Nothing was sent, nothing was spent."""


class SettingsError(UsageError):
    """A setting has a value that cannot work."""


class MissingDependencyError(UsageError):
    """An optional package is needed and not installed; the hint is the install line."""


class ToolDefinitionError(UsageError):
    """A function cannot become a tool (no name, a parameter without a schema …)."""


class InterpolationError(UsageError):
    """A `{{ expression }}` of a prompt could not be evaluated."""


class CredentialError(LumosError):
    """There is no key for a provider, or the provider refused it."""


class ProviderError(LumosError):
    """A model server said no, or could not be reached.

    Args:
        provider: Vendor id, for example `openai`.
        status: HTTP status, if there was an answer.
        request_id: The vendor's id of the request, to quote to its support.
        retry_after_s: Seconds after which the vendor allows another try.
        is_temporary: Whether the same request may succeed on another try.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        provider: str = "",
        status: int | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
        is_temporary: bool = False,
    ) -> None:
        super().__init__(message, hint=hint)
        self.provider = provider
        self.status = status
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.is_temporary = is_temporary


class RateLimitError(ProviderError):
    """Too many requests or tokens (HTTP 429), or no credit for them."""


class OverloadedError(ProviderError):
    """The server is up but cannot serve now (500, 502, 503, 504, 529)."""


class ContextLengthError(ProviderError):
    """The conversation does not fit into the model's window."""


class StreamError(ProviderError):
    """An answer began and then broke off or could not be read. The text so far is kept."""


class ToolError(LumosError):
    """Raise it in a tool to tell the model, in `message`, what went wrong."""


class OutputError(LumosError):
    """An answer has not the form that was asked for with `output=`."""

    def __init__(self, message: str, *, hint: str = "", text: str = "") -> None:
        super().__init__(message, hint=hint)
        self.text = text


class LimitExceededError(LumosError):
    """A limit of the run (steps, cost, time) was reached."""

    def __init__(self, message: str, *, hint: str = "", limit: float, used: float) -> None:
        super().__init__(message, hint=hint)
        self.limit = limit
        self.used = used


class StoreError(LumosError):
    """The database could not be opened, read or written."""


class ThreadNotFoundError(StoreError):
    """There is no thread of that name or id."""


class ConflictError(StoreError):
    """Two writers wanted the same thing; the other one was first."""


class TapeError(LumosError):
    """Something is wrong with a tape."""


class TapeMiss(TapeError):
    """A request is not on the tape."""


class TapeUnused(TapeError):
    """An interaction on the tape was never asked for."""


class TapeDrift(TapeError):
    """What a model answers now has another shape than what is on the tape."""


class SecretOnTape(TapeError):
    """A tape would hold, or holds, a secret. Nothing was written."""


class NetworkForbidden(TapeError):
    """Something wanted to reach another machine while a tape was replayed."""


class LumosCancelled(LumosError):
    """How a stopped run stands in the log, and ends for who waits for it."""

    def __init__(self) -> None:
        super().__init__("The run was stopped.", hint="What it had said so far is kept.")


class AgentInterrupted(KeyboardInterrupt):
    """A run was stopped by the person (■, Stop, Esc). Run All stops as for any interrupt."""

    def _render_traceback_(self) -> list[str]:
        return [f"Interrupted: {self}" if str(self) else "Interrupted: the run was stopped."]


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a sentence that suggests the nearest known name, or lists what there is.

    Example:
        >>> nearest("sale", ["sales", "support"])
        "Did you mean 'sales'?"
        >>> nearest("x", ["sales", "support"])
        'There is: sales, support.'
        >>> nearest("x", [])
        ''
    """
    from difflib import get_close_matches

    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]!r}?"
    if not names:
        return ""
    shown = ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
    return f"There is: {shown}."
