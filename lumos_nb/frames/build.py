"""From rows of a store to a DataFrame with the dtypes of its columns.

| column type | dtype |
|---|---|
| id, text, json | `str` (pandas 3), `string` (pandas 2) |
| cat | `category` |
| int | `Int64` |
| bool | `boolean` |
| float | `Float64`, NA where it is not known |
| time | `datetime64[ns, UTC]` |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lumos_nb.stores.schema import Column


def build(columns: Sequence[Column], rows: Sequence[Sequence[Any]], schema: str, key: Sequence[str]) -> Any:
    """Return a DataFrame of rows with the dtypes of the columns; `attrs["lumos"]` says what it is."""
    import pandas as pd

    values = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    data = {c.name: series(c.type, v) for c, v in zip(columns, values, strict=True)}
    frame = pd.DataFrame(data, columns=[c.name for c in columns])
    frame.attrs["lumos"] = {"schema": schema, "key": list(key)}
    return frame


def series(kind: str, values: Sequence[Any]) -> Any:
    """Return values as a pandas Series of the dtype of a column type."""
    import pandas as pd

    match kind:
        case "int":
            return pd.Series(values, dtype="Int64")
        case "float":
            return pd.Series(values, dtype="Float64")
        case "bool":
            return pd.Series([None if v is None else bool(v) for v in values], dtype="boolean")
        case "time":
            return pd.to_datetime(pd.Series(values, dtype="Int64"), unit="ns", utc=True).astype("datetime64[ns, UTC]")
        case "cat":
            texts = pd.Series(values, dtype=text_dtype())
            return texts.astype("category")
        case _:
            return pd.Series(values, dtype=text_dtype())


def text_dtype() -> str:
    """Return the dtype of text: `str` where pandas has it."""
    import pandas as pd

    return "str" if int(pd.__version__.split(".")[0]) >= 3 else "string"
