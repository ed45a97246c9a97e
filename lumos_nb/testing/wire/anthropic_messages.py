"""An answer as a stream of Anthropic Messages."""

from __future__ import annotations

import re

PATH = re.compile(r"/messages$")
CONTENT_TYPE = "text/event-stream"
