"""`RuntimeContext`: what a caller hands to a run, and every tool and dynamic field can read.

One idea: it is the one object that travels; nothing is kept in globals.
"""

from __future__ import annotations

import os
from contextvars import ContextVar
from typing import Any, TypeVar

from lumos_nb.errors import UsageError, nearest
from lumos_nb.traceparent import TraceParent, format_traceparent, parse_traceparent, span_id, trace_id

T = TypeVar("T")


class RuntimeContext:
    """Values of the caller, by name, and what run they are used in.

    A tool gets it by annotating a parameter with `RuntimeContext`; the model does not see it.

    Args:
        traceparent: The caller's span, as W3C Trace Context writes it: the run becomes part of that trace. None: the
            variable `TRACEPARENT`. What cannot be read is left alone.
        values: Values by name.

    Attributes:
        parent: The span that the run is part of, or None.
        run_id: The run that it is used in; empty before.
        thread_id: The thread of that run, or None.
        agent: Name of the agent.
        trace_id: What the run is part of: 32 hexadecimal digits, the same for all runs within one.
        call_key: In a tool: names this call, also when it is run again after a restart. Hand it to services
            that do a thing once for each key.

    Example:
        >>> context = RuntimeContext(user="ada", limit=5)
        >>> context.get("limit", int)
        5
        >>> context.get("tenant", str, default="none")
        'none'
    """

    _REQUIRED: Any = object()

    def __init__(self, *, traceparent: str | None = None, **values: Any) -> None:
        self._values = values
        self._given = traceparent
        self.parent: TraceParent | None = parse_traceparent(traceparent)
        self.run_id = ""
        self.thread_id: str | None = None
        self.agent = ""
        self.root_run_id = ""
        self.trace_id = ""
        self.call_key = ""

    def get(self, name: str, kind: type[T], *, default: Any = _REQUIRED) -> T:
        """Return a value, checked against its type.

        Raises:
            UsageError: There is none and no default, or it is of another type.
        """
        if name not in self._values:
            if default is not self._REQUIRED:
                return default  # type: ignore[no-any-return]
            raise UsageError(f"The context has no value {name!r}.", hint=nearest(name, self._values))
        value = self._values[name]
        if not isinstance(value, kind):
            raise UsageError(f"The context's {name!r} is a {type(value).__name__}, not a {kind.__name__}.")
        return value

    def __contains__(self, name: str) -> bool:
        return name in self._values

    @property
    def traceparent(self) -> str | None:
        """What to send along with requests of your own, to make them part of the trace; before a run, what was given.

        In a tool it names that call's span.
        """
        if not self.run_id:
            return self._given
        return self._of_part(self.call_key.removeprefix(f"{self.run_id}/"))

    def of_step(self, step: int) -> str:
        """Return the `traceparent` of a step's model call."""
        return self._of_part(step)

    def _of_part(self, part: str | int) -> str:
        is_sampled = self.parent is None or self.parent.is_sampled
        return format_traceparent(self.trace_id, span_id(self.run_id, part), is_sampled=is_sampled)

    def with_run(self, run_id: str, thread_id: str | None, agent: str) -> RuntimeContext:
        """Return a copy with the same values for one run; values set there are not seen here."""
        copy = RuntimeContext(traceparent=self.traceparent or os.environ.get("TRACEPARENT"), **self._values)
        copy.run_id, copy.thread_id, copy.agent = run_id, thread_id, agent
        copy.trace_id = copy.parent.trace_id if copy.parent is not None else trace_id(run_id)
        return copy

    def for_call(self, call_id: str) -> RuntimeContext:
        """Return a copy for one tool call; its values are the same objects."""
        copy = RuntimeContext()
        copy.__dict__.update(self.__dict__, call_key=f"{self.run_id}/{call_id}")
        return copy

    def __repr__(self) -> str:
        # Values may be secrets: names only.
        return f"RuntimeContext({', '.join(self._values)})"


IN_CALL: ContextVar[tuple[RuntimeContext, str] | None] = ContextVar("lumos_in_call", default=None)
"""In a tool: the context of its run, and the id of the call. A run that begins there is part of that call."""
