"""The columns and dtypes of all frames, as they are promised; kept in `frames.json`.

Run `python -m tests.frames.golden` after a column was added. One that is renamed, moved, removed or of another
dtype breaks what people wrote: it needs a new version of its frame, too.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from lumos_nb import frames
from lumos_nb.frames._tables import SOURCES
from lumos_nb.frames._typed import text_dtype
from lumos_nb.stores import SqliteStore

KEPT = Path(__file__).with_name("frames.json")


def promised() -> dict[str, dict[str, object]]:
    """Return schema, key, and columns with their dtypes, in order; those that are read on request alone marked."""
    store = SqliteStore(Path(tempfile.gettempdir()) / "none" / "lumos.db")
    out: dict[str, dict[str, object]] = {}
    for name in SOURCES:
        whole, narrow = (getattr(frames, name)(store=store, payload=payload) for payload in (True, False))
        columns = {
            column: ("text" if dtype == text_dtype() else str(dtype)) + ("" if column in narrow else ", payload=True")
            for column, dtype in whole.dtypes.items()
        }
        out[name] = {**whole.attrs["lumos"], "columns": columns}
    return out


if __name__ == "__main__":
    KEPT.write_text(json.dumps(promised(), indent=1) + "\n", encoding="utf-8")
