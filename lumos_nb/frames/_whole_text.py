"""A DataFrame whose texts are read: pandas cuts each to 50 characters, which leaves no advice.

One idea: only how it shows itself is different. It is imported with the first such frame.
"""

from __future__ import annotations

import pandas as pd


class WholeTextFrame(pd.DataFrame):  # type: ignore[misc]  # pandas has no types here
    """A DataFrame that shows its texts whole in a notebook."""

    @property
    def _constructor(self) -> type[WholeTextFrame]:
        return WholeTextFrame

    def _repr_html_(self) -> str | None:
        with pd.option_context("display.max_colwidth", None):
            return super()._repr_html_()  # type: ignore[no-any-return]
