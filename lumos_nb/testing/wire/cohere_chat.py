"""An answer as a stream of Cohere v2."""

from __future__ import annotations

import re

PATH = re.compile(r"/v[12]/chat$")
CONTENT_TYPE = "text/event-stream"
