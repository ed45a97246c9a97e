"""Values of a notebook, looked at without running anybody's code."""

from __future__ import annotations

from typing import Any, TypeGuard, TypeVar

T = TypeVar("T")


def is_of(value: Any, kind: type[T]) -> TypeGuard[T]:
    """Return whether a value is of a type, without asking the value: a proxy may raise, or load a library.

    Example:
        >>> import weakref
        >>> is_of(weakref.proxy(set()), str), is_of("a", str)
        (False, True)
    """
    return issubclass(type(value), kind)
