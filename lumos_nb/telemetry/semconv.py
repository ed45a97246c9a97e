"""The names that OpenTelemetry gives to what a model, an agent or a tool does: all of them, in one place.

One idea: the conventions still change; what changes is a line here, and `SEMCONV_REF` says where the lines are from.
"""

from __future__ import annotations

SEMCONV_REF = "open-telemetry/semantic-conventions@953276ff4 (2026-05-05), opentelemetry-util-genai 1.3b0"
"""What these constants were read from."""

SCHEMA_URL = "https://opentelemetry.io/schemas/1.37.0"
"""The schema that spans say they follow."""

SCOPE = "lumos_nb"
"""Name of what made the spans."""

# ---- spans ------------------------------------------------------------------------------

CLIENT, INTERNAL = "CLIENT", "INTERNAL"

KINDS = {"chat": CLIENT, "invoke_agent": INTERNAL, "execute_tool": INTERNAL}
"""Kind of a span by operation; waits are INTERNAL, and so is a model in this process."""

IN_PROCESS = frozenset({"local"})
"""Vendors whose model runs in this process."""

NAME_FROM = {"chat": "gen_ai.request.model", "invoke_agent": "gen_ai.agent.name", "execute_tool": "gen_ai.tool.name"}
"""A span is called `{operation} {this attribute}`, or only by its operation where there is none."""

REQUIRED = {
    "chat": ("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.request.stream"),
    "invoke_agent": ("gen_ai.operation.name", "gen_ai.provider.name"),
    "execute_tool": ("gen_ai.operation.name", "gen_ai.tool.name"),
}
"""Attributes that a span of an operation must have; `error.type` too if it failed."""

RECOMMENDED = {
    "chat": ("gen_ai.response.model", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"),
    "invoke_agent": ("gen_ai.agent.name",),
    "execute_tool": ("gen_ai.tool.call.id", "gen_ai.tool.type"),
}
"""Attributes that a span which ended well should have."""

PROVIDERS = {
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "google": "gcp.gemini",
    "mistral": "mistral_ai",
    "vertex": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}
"""Names of vendors that differ from ours; others are the same."""

FINISH_REASONS = {"tool_calls": "tool_call"}
"""Reasons for which an answer ended, where their name differs from ours."""

USAGE = {
    "input_tokens": "gen_ai.usage.input_tokens",  # cached ones too, as ours
    "output_tokens": "gen_ai.usage.output_tokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_write.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
}
"""Attributes of a model call's span, by field of `TokenUsage`; the last three only where they are not 0."""

ALWAYS = frozenset({"input_tokens", "output_tokens"})

# ---- metrics ----------------------------------------------------------------------------

TOKEN_BUCKETS = tuple(float(4**n) for n in range(14))
DURATION_BUCKETS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
AGENT_BUCKETS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6)

BUCKETS = {
    "gen_ai.client.token.usage": TOKEN_BUCKETS,
    "gen_ai.client.operation.duration": DURATION_BUCKETS,
    "gen_ai.client.operation.time_to_first_chunk": DURATION_BUCKETS,
    "gen_ai.execute_tool.duration": DURATION_BUCKETS,
    "gen_ai.invoke_agent.duration": AGENT_BUCKETS,
}
"""Upper bounds of the buckets, by histogram."""

METRICS = {
    "gen_ai.client.token.usage": ("histogram", "{token}", "Tokens of model calls."),
    "gen_ai.client.operation.duration": ("histogram", "s", "Duration of model calls."),
    "gen_ai.client.operation.time_to_first_chunk": ("histogram", "s", "Time from a request to its first token."),
    "gen_ai.execute_tool.duration": ("histogram", "s", "Duration of tool calls."),
    "gen_ai.invoke_agent.duration": ("histogram", "s", "Duration of runs."),
    "lumos.runs": ("counter", "{run}", "Runs that have ended."),
    "lumos.cost": ("counter", "USD", "Cost of model calls whose price is known."),
    "lumos.unpriced_calls": ("counter", "{call}", "Model calls whose price is not known."),
    "lumos.retries": ("counter", "{retry}", "Requests that were sent again."),
    "lumos.errors": ("counter", "{error}", "Runs and tool calls that failed."),
    "lumos.memory.operations": ("counter", "{operation}", "Times that a thread was read or added to."),
    "lumos.memory.messages": ("counter", "{message}", "Messages that were read from threads or added to them."),
}
"""Kind, unit and description of every metric, by name."""
