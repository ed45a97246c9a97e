"""An answer as a stream of Gemini."""

from __future__ import annotations

import re

PATH = re.compile(r":streamGenerateContent$")
CONTENT_TYPE = "text/event-stream"
