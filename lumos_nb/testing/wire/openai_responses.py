"""An answer as a stream of Responses."""

from __future__ import annotations

import re

PATH = re.compile(r"/responses$")
CONTENT_TYPE = "text/event-stream"
