"""Rows to DataFrames with declared dtypes.

One idea: a dtype comes from the column's declaration, never from what the values happen to be.
Text is `str` (pandas 3) or `string` (pandas 2), few distinct texts `category`, whole numbers
`Int64`, booleans `boolean`, time `datetime64[ns, UTC]`. Quantities are plain `float64` with NaN
for what is not known: every plotting and statistics library takes it.

Rows are taken in portions, and equal texts are kept once, so that a million events fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from lumos_nb.stores.schema import Column

_ROWS_AT_ONCE = 50_000


def frame(rows: Iterable[tuple[Any, ...]], columns: Sequence[Column], *, schema: str, key: Sequence[str]) -> Any:
    """Return a DataFrame of the rows, newest first as they come, turned around to newest last."""
    import pandas as pd

    builders = [_BUILDERS.get(c.type, _Text)() for c in columns]
    source = iter(rows)
    while portion := list(islice(source, _ROWS_AT_ONCE)):
        for builder, values in zip(builders, zip(*portion, strict=True), strict=True):
            builder.add(values)
    data = {c.name: b.array()[::-1] for c, b in zip(columns, builders, strict=True)}
    df = pd.DataFrame(data, columns=[c.name for c in columns], copy=False)
    df.attrs["lumos"] = {"schema": schema, "key": list(key)}
    return df


class _Text:
    """Text; the same text is one object however often it comes."""

    def __init__(self) -> None:
        self._values: list[str | None] = []
        self._known: dict[str | None, str | None] = {}

    def add(self, values: tuple[Any, ...]) -> None:
        known = self._known
        self._values.extend(known.setdefault(v, v) for v in values)
        if len(known) > 100_000:
            known.clear()

    def array(self) -> Any:
        import pandas as pd

        dtype = "str" if int(pd.__version__.split(".")[0]) >= 3 else "string"
        return pd.array(self._values, dtype=dtype)


class _Category:
    def __init__(self) -> None:
        import numpy as np

        self._codes: list[Any] = [np.empty(0, "int32")]
        self._known: dict[str | None, int] = {None: -1}

    def add(self, values: tuple[Any, ...]) -> None:
        import numpy as np

        known = self._known
        for value in dict.fromkeys(values):
            known.setdefault(value, len(known) - 1)
        self._codes.append(np.fromiter((known[v] for v in values), "int32", len(values)))

    def array(self) -> Any:
        import numpy as np
        import pandas as pd

        names = [n for n in self._known if n is not None]
        text = _Text()
        text.add(tuple(sorted(names)))
        place = {n: i for i, n in enumerate(sorted(names))}
        to_sorted = np.array([*(place[n] for n in names), -1], "int32")  # the last is for -1
        categories = pd.CategoricalDtype(text.array())
        return pd.Categorical.from_codes(to_sorted[np.concatenate(self._codes)], dtype=categories)


class _Numbers:
    """Numbers of one numpy dtype, and where they are missing."""

    dtype = "int64"

    def __init__(self) -> None:
        import numpy as np

        self._values: list[Any] = [np.empty(0, self.dtype)]
        self._missing: list[Any] = [np.empty(0, bool)]

    def add(self, values: tuple[Any, ...]) -> None:
        import numpy as np

        missing = np.fromiter((v is None for v in values), bool, len(values))
        full = [0 if v is None else v for v in values] if missing.any() else values
        self._values.append(np.array(full, self.dtype))
        self._missing.append(missing)

    def both(self) -> tuple[Any, Any]:
        import numpy as np

        return np.concatenate(self._values), np.concatenate(self._missing)


class _Integer(_Numbers):
    def array(self) -> Any:
        import pandas as pd

        return pd.arrays.IntegerArray(*self.both())


class _Boolean(_Numbers):
    dtype = "bool"

    def array(self) -> Any:
        import pandas as pd

        return pd.arrays.BooleanArray(*self.both())


class _Float(_Numbers):
    dtype = "float64"

    def array(self) -> Any:
        values, missing = self.both()
        values[missing] = float("nan")
        return values


class _Time(_Numbers):
    def array(self) -> Any:
        import pandas as pd

        values, missing = self.both()
        stamps = values.view("datetime64[ns]").copy()
        stamps[missing] = "NaT"
        return pd.DatetimeIndex(stamps).tz_localize("UTC").array


_BUILDERS: dict[str, Any] = {
    "cat": _Category,
    "int": _Integer,
    "bool": _Boolean,
    "float": _Float,
    "time": _Time,
}
