"""What can be set: one frozen `LumosConfig`, read from the environment, changed by code.

One idea: a setting has one name. The environment variable is that name in capitals behind
`LUMOS_`; `configure()` and `%lumos settings` take it as it is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from lumos_nb.credentials import Secret
from lumos_nb.errors import SettingsError, nearest

_Dollars = Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]


class Price(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a model costs, in US dollars a million tokens."""

    input: _Dollars
    output: _Dollars
    #: Input that came from a cache; None: as other input.
    cache_read: _Dollars | None = None
    #: Input that was put into a cache; None: as other input.
    cache_write: _Dollars | None = None


class LumosConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of this process.

    Example:
        >>> LumosConfig().enable_telemetry
        True
    """

    #: Model of an agent that names none, as `vendor/model`; empty: the first vendor with a key.
    model: str = ""
    #: The database file; empty: `.lumos/lumos.db` beside the notebook.
    db: str = ""
    #: Model calls a run may make before it is stopped.
    max_steps: int = 16
    #: Longest tool result that a model is told, in characters; the middle is cut from longer ones.
    tool_result_chars: int = 20_000
    #: Longest tool result that is kept and shown, in bytes.
    tool_result_bytes: int = 1_000_000
    #: Seconds without a byte after which a model server counts as silent.
    read_timeout_s: float = 300.0
    #: Seconds until the first byte of an answer's body; 0: as `read_timeout_s`.
    first_byte_timeout_s: float = 0.0
    #: Seconds that one answer may take from first to last; 0: no limit.
    total_timeout_s: float = 0.0
    #: Seconds to reach a model server.
    connect_timeout_s: float = 10.0
    #: Tries again of a request that was refused for now (429, 5xx) or could not connect.
    max_retries: int = 2
    #: Requests that may be under way at once to one server; more wait their turn. 0: no limit.
    max_in_flight: int = 0
    #: US dollars that a day should cost at most. It is shown beside what was spent, and stops nothing.
    budget_usd: _Dollars | None = None
    #: What carries requests: aiohttp (`pip install lumos-nb[fast]`), httpx, or auto for the first that is there.
    transport: Literal["auto", "aiohttp", "httpx"] = "auto"
    #: Longest single event of a model's stream, in bytes; a server that never ends one must not fill the memory.
    max_event_bytes: int = 8_000_000
    #: Vendors of your own, or other values for known ones: `{"mine": {"base_url": "http://…/v1"}}`.
    vendors: dict[str, Any] = {}
    #: US dollars a million tokens, by `vendor/model`: `{"mine/m": {"input": 1, "output": 2, "cache_read": 0.1}}`.
    prices: dict[Annotated[str, msgspec.Meta(pattern="^[^/]+/.+$")], Price] = {}
    #: Keys by vendor; they show as dots. The vendor's environment variable is the usual place.
    keys: dict[str, Secret] = {}
    #: What tools may do, by name or pattern, above their own mark; the first that fits counts: `{"delete_*": "ask"}`.
    permissions: dict[str, Literal["allow", "ask", "deny"]] = {}
    #: Tools that need no question, names and patterns with commas; `all` for every one. For where nobody can be asked.
    approve: str = ""
    #: How a cell shows a run: auto, live, static (one display at the end), plain.
    view: Literal["auto", "live", "static", "plain"] = "auto"
    #: A file that gets every run as plain text while it streams, beside its view; empty: none.
    echo: str = ""
    #: Recorded answers in place of models' (docs/testing.md): auto is replay-strict where `CI` is set and there is a
    #: tape, else off.
    tape: Literal["auto", "off", "record", "replay", "replay-strict", "verify", "refresh"] = "auto"
    #: The tape's file, or the folder of tapes; empty: `tapes/NOTEBOOK.tape.jsonl` beside the notebook.
    tape_file: str = ""
    #: How long a replayed answer takes: instant, real, a factor as `10`, or virtual: no time, but all clocks show the
    #: recorded one and ids are counted. auto is virtual for replay-strict, else instant.
    tape_time: Annotated[str, msgspec.Meta(pattern=r"^(auto|instant|real|virtual|\d+(\.\d+)?)$")] = "auto"
    #: Hosts that may be reached while a tape is replayed, names and patterns with commas; this machine always.
    tape_hosts: str = ""
    #: Send tools to the model.
    enable_function_calling: bool = True
    #: Show an answer as it arrives; else each step's text comes in one piece.
    enable_streaming: bool = True
    #: Keep conversations in threads.
    enable_memory_threads: bool = True
    #: Record runs, steps, tool calls and events.
    enable_telemetry: bool = True
    #: Record what was sent to models and came back, byte for byte, without keys.
    keep_exchanges: bool = True
    #: Where traces and metrics are sent (OTLP over HTTP), as `http://localhost:4318`; empty: the standard variable
    #: OTEL_EXPORTER_OTLP_ENDPOINT, and without it nowhere.
    otlp: Annotated[str, msgspec.Meta(pattern="^[^@]*$")] = ""
    #: Send prompts, answers, arguments and results of tools along; OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT
    #: does so too.
    otlp_content: bool = False
    #: Tell model servers which trace a request is part of (`traceparent`); auto: where traces are sent, or the caller
    #: gave a trace.
    propagate: Literal["auto", "on", "off"] = "auto"
    #: Write a line for each run, retry and failed tool: text or json.
    log: Literal["off", "text", "json"] = "off"
    #: What is written at least: debug, info, warning or error.
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    #: File that the lines are added to; `stderr`; or empty: stderr, in a notebook `lumos.log` beside the database.
    log_file: str = ""

    def __repr__(self) -> str:
        # Rows of vendors may hold keys, in headers and addresses: a cell shows, and a notebook keeps, their names.
        fields = {**msgspec.structs.asdict(self), "vendors": list(self.vendors)}
        return f"LumosConfig({', '.join(f'{name}={value!r}' for name, value in fields.items())})"

    def database(self) -> Path:
        """Return the path of the database file, absolute."""
        return Path(self.db).expanduser().absolute() if self.db else Path.cwd() / ".lumos" / "lumos.db"


_current: LumosConfig | None = None


def current() -> LumosConfig:
    """Return the settings in force."""
    global _current
    if _current is None:
        _current = from_environment(os.environ)
    return _current


def from_environment(environ: Mapping[str, str]) -> LumosConfig:
    """Return the settings that `LUMOS_…` variables name; other `LUMOS_` names are left alone.

    Raises:
        SettingsError: A value has the wrong type; names the variable.

    Example:
        >>> from_environment({"LUMOS_MAX_STEPS": "3"}).max_steps
        3
    """
    given = {f: environ[f"LUMOS_{f.upper()}"] for f in LumosConfig.__struct_fields__ if f"LUMOS_{f.upper()}" in environ}
    return _convert(given, prefix="LUMOS_")


def configure(**changes: Any) -> LumosConfig:
    """Change settings of this process and return all of them.

    Raises:
        SettingsError: There is no such setting, or its value has the wrong type.
    """
    global _current
    for name in changes:
        if name not in LumosConfig.__struct_fields__:
            raise SettingsError(f"There is no setting {name!r}.", hint=nearest(name, LumosConfig.__struct_fields__))
    _current = _convert({**msgspec.structs.asdict(current()), **changes})
    return _current


def reset() -> None:
    """Forget changes made by code; the environment counts again."""
    global _current
    _current = None


def _convert(values: dict[str, Any], prefix: str = "") -> LumosConfig:
    fields = {f.name: f.type for f in msgspec.structs.fields(LumosConfig)}
    out: dict[str, Any] = {}
    for name, value in values.items():
        try:
            if isinstance(value, str) and get_origin(fields[name]) is dict:  # from the environment, as JSON
                value = msgspec.json.decode(value)
            out[name] = msgspec.convert(value, fields[name], strict=False, dec_hook=_secret)
        except msgspec.MsgspecError as error:
            value = "…" if name in {"keys", "vendors", "otlp"} else value
            shown = f"{prefix}{name.upper()}" if prefix else name
            known = get_args(fields[name]) if get_origin(fields[name]) is Literal else ()
            hint = f"There is: {', '.join(known)}." if known else _FORMS.get(name, "")
            raise SettingsError(f"{shown} = {value!r} cannot be used: {error}.", hint=hint) from None
    return LumosConfig(**out)


_FORMS = {
    "prices": 'Write it as {"vendor/model": {"input": 1.0, "output": 2.0, "cache_read": 0.1, "cache_write": 1.25}}, '
    "in US dollars a million tokens.",
    "vendors": 'Write it as {"mine": {"base_url": "http://…/v1", "key_env": ["MY_KEY"]}}.',
    "otlp": "A name and a password are no part of it: say them in OTEL_EXPORTER_OTLP_HEADERS.",
    "permissions": 'Write it as {"run_*": "ask", "delete_*": "deny"}.',
    "keys": 'Write it as {"openai": "KEY"}.',
}
"""How the settings are written that hold more than one value."""


def _secret(kind: type, value: Any) -> Any:
    if kind is Secret and isinstance(value, Secret):
        return value
    if kind is Secret and isinstance(value, str) and value.strip():
        return Secret(value.strip())
    raise ValueError("a key must be a text that is not empty")
