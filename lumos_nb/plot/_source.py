"""What a chart is made of: a frame that was given, or one that is read with the filters that were given."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from lumos_nb.errors import UsageError


def frame(data: Any, read: Callable[..., Any], filters: dict[str, Any], needs: Iterable[str]) -> Any:
    """Return the rows to draw.

    Args:
        data: A DataFrame, or None to read one.
        read: The frame that is read then.
        filters: Its filters.
        needs: Columns that must be there.

    Raises:
        UsageError: It is no DataFrame, has not the columns, or filters were given with it.
    """
    if data is None:
        return read(**filters)
    columns = getattr(data, "columns", None)
    name = read.__name__
    if columns is None:
        raise UsageError(
            f"A chart cannot be made of {type(data).__name__!r}.",
            hint=f"Give a DataFrame of lumos.{name}(), or filters.",
        )
    if filters:
        raise UsageError(
            f"Filters such as {next(iter(filters))}= are for lumos.{name}(), not for a DataFrame that is given.",
            hint="Leave out one of the two.",
        )
    if missing := [column for column in needs if column not in columns]:
        raise UsageError(f"The DataFrame has no column {missing[0]!r}.", hint=f"Give one of lumos.{name}().")
    return data


def floats(column: Any) -> Any:
    """Return a column as numpy floats, NaN for what is missing, whatever kind of number it is."""
    return column.astype("float64").to_numpy(dtype="float64", na_value=float("nan"))


def named(column: Any, most: int) -> tuple[Any, list[str]]:
    """Return a column of names as text, the rarest beyond `most` as `other`; and the names, the most frequent first."""
    from lumos_nb.plot._figure import label

    text = column.astype("object").map(label)
    text = text.where(column.notna(), "unknown").astype("object")
    frequent = list(text.value_counts().index)
    if len(frequent) > most:
        left = set(frequent[most - 1 :])
        text = text.map(lambda name: f"other ({len(left)})" if name in left else name)
        frequent = [*frequent[: most - 1], f"other ({len(left)})"]
    return text, frequent
