"""An answer as a stream of Bedrock Converse."""

from __future__ import annotations

import re

PATH = re.compile(r"/converse-stream$")
CONTENT_TYPE = "application/vnd.amazon.eventstream"
