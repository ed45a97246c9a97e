"""Rows to DataFrames with declared dtypes.

One idea: a dtype comes from the column's declaration, never from what the values happen to be.
Text is `str` (pandas 3) or `string` (pandas 2), few distinct texts `category`, whole numbers
`Int64`, booleans `boolean`, time `datetime64[ns, UTC]`. Quantities are plain `float64` with NaN
for what is not known: every plotting and statistics library takes it.

Rows are taken in portions, so that a million events fit. Text is kept by pyarrow where it is
installed, else equal texts are kept once. A value that is not of its column's type (another
program wrote it) becomes text in a text column, and missing elsewhere.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import islice
from typing import Any

from lumos_nb.stores.schema import Column

_ROWS_AT_ONCE = 2_000
_MOST_KNOWN = 20_000


def frame(
    rows: Iterable[tuple[Any, ...]],
    columns: Sequence[Column],
    *,
    schema: str,
    key: Sequence[str],
    newest_first: bool = True,
) -> Any:
    """Return a DataFrame of the rows, newest last; rows that come newest first are turned around."""
    import pandas as pd

    from lumos_nb.frames import _accessor

    _accessor.register()
    builders = [_BUILDERS.get(c.type, _Text)() for c in columns]
    source = iter(rows)
    with _uncollected():
        while portion := list(islice(source, _ROWS_AT_ONCE)):
            for builder, values in zip(builders, zip(*portion, strict=True), strict=True):
                builder.add(values)
    data: dict[str, Any] = {}
    for column in columns:  # one after the other, so that only one column is there twice
        made = builders.pop(0).array()
        data[column.name] = made[::-1] if newest_first else made
    df = pd.DataFrame(data, columns=[c.name for c in columns], copy=False)
    df.attrs["lumos"] = {"schema": schema, "version": int(schema.partition("/")[2]), "key": list(key)}
    return df


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let the garbage collector rest: it would look at every row (15% of the time), and rows hold no garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@cache
def text_dtype() -> Any:
    """Return the dtype of text: what this pandas uses by itself."""
    import pandas as pd

    return pd.array([], dtype="str" if int(pd.__version__.split(".")[0]) >= 3 else "string").dtype


@cache
def _arrow() -> Any:
    """Return pyarrow if this pandas keeps text with it, else None."""
    if text_dtype().storage != "pyarrow":
        return None
    import pyarrow

    return pyarrow


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


class _Text:
    """Text. Without pyarrow the same text is one object however often it comes."""

    def __init__(self) -> None:
        self._chunks: list[Any] = []
        self._values: list[str | None] = []
        self._known: dict[str | None, str | None] = {}
        self._n_looked_up, self._is_varied = 0, False

    def add(self, values: Sequence[Any]) -> None:
        arrow = _arrow()
        if arrow is None:
            self._add_objects(values)
            return
        try:
            self._chunks.append(arrow.array(values, arrow.large_string()))
        except (TypeError, arrow.ArrowException):
            self._chunks.append(arrow.array([v if _is_text(v) else str(v) for v in values], arrow.large_string()))

    def _add_objects(self, values: Sequence[Any]) -> None:
        known = self._known
        if not set(map(type, values)) <= {str, type(None)}:
            values = [v if _is_text(v) else str(v) for v in values]
        if self._is_varied:
            self._values.extend(values)
            return
        self._values.extend(map(known.setdefault, values, values))
        self._n_looked_up += len(values)
        if len(known) > _MOST_KNOWN:  # begun anew, for equal ones stand together; or left, if there are hardly any
            self._is_varied = len(known) * 2 > self._n_looked_up
            self._n_looked_up = 0
            known.clear()

    def array(self) -> Any:
        import pandas as pd

        arrow = _arrow()
        if arrow is None:
            return pd.array(self._values, dtype=text_dtype())
        return text_dtype().__from_arrow__(arrow.chunked_array(self._chunks, arrow.large_string()))


class _Category:
    def __init__(self) -> None:
        import numpy as np

        self._codes: list[Any] = [np.empty(0, "int32")]
        self._known: dict[Any, int] = {None: -1}

    def add(self, values: Sequence[Any]) -> None:
        import numpy as np

        known = self._known
        for value in set(values).difference(known):
            known[value] = len(known) - 1
        self._codes.append(np.fromiter(map(known.__getitem__, values), "int32", len(values)))

    def array(self) -> Any:
        import numpy as np
        import pandas as pd

        codes = {value: code for value, code in self._known.items() if value is not None}
        names = sorted({str(value) for value in codes})
        place = {name: i for i, name in enumerate(names)}
        to_sorted = np.array([*(place[str(value)] for value in codes), -1], "int32")  # the last is for -1
        text = _Text()
        text.add(names)
        categories = pd.CategoricalDtype(text.array())
        return pd.Categorical.from_codes(to_sorted[np.concatenate(self._codes)], dtype=categories)


class _Numbers:
    """Numbers of one numpy dtype, and where they are missing."""

    dtype = "int64"
    kinds: tuple[type, ...] = (int,)

    def __init__(self) -> None:
        import numpy as np

        self._values: list[Any] = [np.empty(0, self.dtype)]
        self._missing: list[Any] = [np.empty(0, bool)]

    def add(self, values: tuple[Any, ...]) -> None:
        import numpy as np

        n_missing = values.count(None)
        if n_missing == len(values):
            found, missing = np.zeros(len(values), self.dtype), np.ones(len(values), bool)
        elif n_missing or not set(map(type, values)).issubset((*self.kinds, bool)):
            missing = np.fromiter((not isinstance(v, self.kinds) for v in values), bool, len(values))
            found = np.array([0 if m else v for m, v in zip(missing.tolist(), values, strict=True)], self.dtype)
        else:
            found, missing = np.array(values, self.dtype), np.zeros(len(values), bool)
        self._values.append(found)
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
    kinds = (int, float)

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


class _Object:
    """Values of several kinds, as they are."""

    def __init__(self) -> None:
        self._values: list[Any] = []

    def add(self, values: Sequence[Any]) -> None:
        self._values.extend(values)

    def array(self) -> Any:
        import numpy as np

        out = np.empty(len(self._values), object)
        out[:] = self._values
        return out


_BUILDERS: dict[str, Any] = {
    "cat": _Category,
    "int": _Integer,
    "bool": _Boolean,
    "float": _Float,
    "time": _Time,
    "object": _Object,
}
