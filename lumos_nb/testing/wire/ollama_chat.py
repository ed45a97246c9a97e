"""An answer as a stream of Ollama."""

from __future__ import annotations

import re

PATH = re.compile(r"/api/chat$")
CONTENT_TYPE = "application/x-ndjson"
