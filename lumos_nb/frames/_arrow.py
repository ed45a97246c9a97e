"""Frames as tables of Arrow, and the packages of the extra `data`, loaded when they are used.

One idea: an Arrow type comes from the frame's dtype, also where there are no rows, and carries along what
pandas needs to give that dtype back.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from lumos_nb.errors import MissingDependencyError


def needs(package: str, what: str) -> Any:
    """Return a package, or raise a `MissingDependencyError` that says how to get it."""
    try:
        return import_module(package)
    except ImportError:
        raise MissingDependencyError(f"{what} needs {package}.", hint='Run: pip install "lumos-nb[data]".') from None


def schema_of(df: Any) -> Any:
    """Return the Arrow schema of a frame; categories are dictionaries of 32 bits, however few there are yet."""
    import pyarrow as pa

    made = pa.Schema.from_pandas(df.iloc[:0], preserve_index=False)
    few = pa.dictionary(pa.int32(), pa.large_string())
    fields = [pa.field(f.name, few if pa.types.is_dictionary(f.type) else f.type) for f in made]
    return pa.schema(fields, metadata=made.metadata)


def table(df: Any, schema: Any) -> Any:
    """Return a frame's rows as a table of that schema."""
    import pyarrow as pa

    return pa.Table.from_pandas(df, preserve_index=False).cast(schema)
