"""Packages of the extra `data`, loaded when they are used."""

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
