"""The tables that Lumos keeps, as data: one declaration for every store and every frame.

One idea: a store creates these tables, a frame reads its columns and dtypes from them; a
new column is one line here. Columns are only ever added (`SCHEMA_VERSION` counts that).

Column types: `id` and `text` (text), `cat` (few distinct texts), `int`, `bool`, `float`
(a quantity with its unit in the name), `time` (integer nanoseconds since 1970, UTC), `json`
(JSON text), `blob` (bytes). A column that is `lazy` is read only when asked for, for it may be large.
"""

from __future__ import annotations

import msgspec

SCHEMA_VERSION = 3


class Column(msgspec.Struct, frozen=True):
    """One column: its name, its type as in the module's text, and what it says."""

    name: str
    type: str
    doc: str = ""
    lazy: bool = False


class Table(msgspec.Struct, frozen=True):
    """One table: columns in their public order, key columns, and columns to index."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    index: tuple[tuple[str, ...], ...] = ()
    #: Name of the column that the store numbers by itself, if there is one.
    serial: str | None = None
    #: Columns that are unique together, besides the key.
    unique: tuple[str, ...] = ()

    def column(self, name: str) -> Column | None:
        """Return the column of that name, or None."""
        return next((c for c in self.columns if c.name == name), None)


def _columns(spec: str) -> tuple[Column, ...]:
    """Read `name type  what it says` lines; a `*` behind the type makes the column lazy."""
    out = []
    for line in spec.strip().splitlines():
        name, kind, *doc = line.split(maxsplit=2)
        out.append(Column(name, kind.rstrip("*"), doc[0].strip() if doc else "", kind.endswith("*")))
    return tuple(out)


_TOKENS = """
input_tokens       int    all input, cached or not
output_tokens      int    all output, reasoning included
cache_read_tokens  int    part of the input that came from a cache
cache_write_tokens int    part of the input that was put into a cache
reasoning_tokens   int    part of the output that was reasoning
"""

THREADS = Table(
    "threads",
    _columns(f"""
title           text  name for people
status          cat   open or archived
created_at      time  when it was begun
updated_at      time  when something was last said in it
n_runs          int   runs in it
n_messages      int   messages in it
n_steps         int   steps of its runs
{_TOKENS.strip()}
cost_usd        float US dollars; NA where a price is not known
last_error      text  what the last run that failed said
agent           cat   agent of the last run
resource_id     text  whose thread it is, if the caller said
notebook        text  path of the notebook it began in
metadata_json   json  what the caller keeps with it
tags_json       json  tags of the caller
parent_thread_id id   thread it was forked from
forked_at_seq   int   messages that it took along from there
thread_id       id    names the thread
"""),
    key=("thread_id",),
    index=(("notebook", "updated_at"), ("title",)),
)

RUNS = Table(
    "runs",
    # The first ten are what a wide frame shows.
    _columns("""
started_at      time  when it was asked for
agent           cat   agent that ran
model           cat   model that it was asked of
status          cat   running, completed, failed, cancelled
duration_s      float from being asked for to its end
ttft_s          float request sent to first token, of the first step
input_tokens    int   all input, cached or not
output_tokens   int   all output, reasoning included
cost_usd        float US dollars; NA where a price is not known
prompt_preview  text  first 200 characters
output_preview  text  first 200 characters
stop_reason     cat   why the last answer ended: stop, length, tool_calls …
error_type      cat   class of the error, if it failed
error_message   text  what the error said
provider        cat   vendor of the model
working_s       float duration less waiting for people, rate limits and retries
n_steps         int   steps that were completed
n_model_calls   int   requests to models, failed ones too
n_tool_calls    int   tool calls
n_tool_errors   int   of them those that failed
n_retries       int   requests that were sent again
cache_read_tokens  int   part of the input that came from a cache
cache_write_tokens int   part of the input that was put into a cache
reasoning_tokens   int   part of the output that was reasoning
cost_source     cat   settings, table, lumos, local or unknown
ended_at        time  missing while it goes on, or where its process was killed
tape            cat   live, replay, or mixed where only some answers were played from a tape
lumos_version   text  version that ran it
process         text  process id and host that runs it
trace_id        id    32 hexadecimal digits; that of the caller, if it handed one over
parent_run_id   id    run that began it, if one did
parent_span_id  id    tool call that it is part of, or span of the caller
root_run_id     id    run at the top; its own id if nobody began it
config_hash     text  names the row of `configs` with what the agent was
notebook        text  path of the notebook
cell_id         text  cell of the notebook
execution_count int   number of that cell then
source_hash     text  of the cell's source
names_read_json json  names of the notebook that its cell reads
names_written_json json names that its cell writes
thread_id       id    thread that it is in
run_id          id    names the run
"""),
    key=("run_id",),
    # The order of the frame is that of an index, so that a hundred thousand rows need not be sorted.
    index=(("thread_id",), ("started_at", "run_id"), ("status", "started_at"), ("trace_id",)),
)

STEPS = Table(
    "steps",
    _columns(f"""
step            int   from 1
kind            cat   model
started_at      time  when the request was sent
provider        cat   vendor of the model
model           cat   model that answered
status          cat   running (its tools are at work), completed, failed, cancelled
duration_s      float of the model call
working_s       float duration less waiting for rate limits and retries
ttft_s          float request sent to first token
n_chunks        int   pieces in which text and reasoning arrived
tokens_per_s    float from first to last token; missing for short answers
{_TOKENS.strip()}
context_tokens  int   size of the prompt
context_window  int   tokens that the model can take
cost_usd        float US dollars; NA where a price is not known
n_tool_calls    int   tool calls that it asked for
stop_reason     cat   why it ended: stop, length, tool_calls …
error_type      cat   class of the error, if it failed
attempt         int   which try it was, from 1
ended_at        time  when the step was over, its tools included
span_id         id    span of the model call
run_id          id    run that it is part of
"""),
    key=("run_id", "step"),
    index=(("started_at",),),
)

EVENTS = Table(
    "events",
    _columns("""
seq             int   order of all events of this database
ts              time  when it happened
kind            cat   type of the event
name            cat   tool of the event, or what a metadata event is about
step            int   step that it is part of, from 1
run_seq         int   order within the run, from 1
status          cat   of what ended: completed, failed, cancelled
dur_s           float seconds of what ended, or of a wait
size_bytes      int   of the payload
span_id         id    span that it belongs to
thread_id       id    thread of the run
run_id          id    run that it is part of
event_id        id    names the event; sorts by time
payload_sha256  text  of the payload
payload_json    json* the event, in its stored form
"""),
    key=("event_id",),
    # The last is for counting: a million events by kind take 0.1 s with it, 0.4 s without.
    index=(("run_id", "run_seq"), ("ts",), ("kind", "name")),
    serial="seq",
)

MESSAGES = Table(
    "messages",
    _columns("""
created_at      time  when it was kept
idx             int   position in the thread, from 0
role            cat   system, user, assistant or tool
text            text  all text parts, joined
n_parts         int   parts that it has
n_chars         int   characters of its text
step            int   step that it was said in
agent           cat   agent that said it
run_id          id    run that it was said in
thread_id       id    thread that it is in
message_id      id    names the message; sorts by time
content_json    json* the message, in its stored form
"""),
    key=("message_id",),
    index=(("created_at",),),
    unique=("thread_id", "idx"),
)

TOOL_CALLS = Table(
    "tool_calls",
    _columns("""
started_at      time  when its work began; before, when it was asked for
tool            cat   name of the tool
status          cat   waiting, running, ok, error, denied, cancelled
duration_s      float of the tool's work alone
args_json       json  arguments it was called with
result_preview  text  first 200 characters
error_type      cat   class of the error, if it failed
error_message   text  what the error said
step            int   step that asked for it
source          cat   python
server          cat   MCP server that it came from
queue_s         float from the model's answer to its start, less waiting for a person
asked_at        time  when a person was asked for it
result_bytes    int   before any cut
args_hash       text  the same for the same arguments
side_effect     cat   none, idempotent or unsafe
cached          bool  whether an earlier result was used
approved_by     cat   person or policy, if it was asked for and allowed
decision        cat   allow, allow_thread, edit or deny
decided_by      cat   person or policy
decided_at      time  when that was decided
decision_reason text  why it was denied
asked_args_json json  arguments before a person changed them, if it had to be asked for
retry_of        id    call that it repeats
span_id         id    span of the call
thread_id       id    thread of the run
run_id          id    run that it is part of
tool_call_id    id    the vendor's name for it; unique within a step
result_json     json* what the model was told and what was shown
"""),
    # Vendors number calls per answer ("call_0"), so an id alone is not unique.
    key=("run_id", "step", "tool_call_id"),
    index=(("tool", "started_at"), ("started_at",)),
)

WORKING_MEMORY = Table(
    "working_memory",
    _columns("""
scope           text  thread or resource that the value belongs to
name            text
updated_at      time
value_json      json
"""),
    key=("scope", "name"),
)

EXCHANGES = Table(
    "exchanges",
    _columns("""
started_at      time
step            int
n               int   order within the run, from 1
method          cat
url             text  without keys
status          cat   ok, refused, broken or cancelled
http_status     int   NA where there was no answer
duration_s      float
first_byte_s    float request sent to first byte of the answer's body
request_bytes   int   of the body
response_bytes  int   of the body
error_type      cat
base_n          int   exchange whose request body this one's is a change of
base_prefix     int   bytes that it begins with, too
base_suffix     int   bytes that it ends with, too
run_id          id
request_headers_json  json* those that hold no secret
response_headers_json json* those that hold no secret
request_body    blob* zlib; of a change only what is new
response_body   blob* zlib; exactly what arrived
"""),
    key=("run_id", "n"),
)

CONFIGS = Table(
    "configs",
    _columns("""
config_hash     text
created_at      time
agent           cat
config_json     json  instructions, tools and options of an agent, as a run had them
"""),
    key=("config_hash",),
)

SETTINGS = Table(
    "kept_settings",
    _columns("""
name            text
updated_at      time
value_json      json
"""),
    key=("name",),
)

TABLES = {
    t.name: t
    for t in (THREADS, RUNS, STEPS, EVENTS, MESSAGES, TOOL_CALLS, EXCHANGES, CONFIGS, WORKING_MEMORY, SETTINGS)
}
"""All tables by name."""
