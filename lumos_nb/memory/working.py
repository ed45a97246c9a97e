"""Facts that an agent keeps about a thread, or about whoever the thread belongs to."""

from __future__ import annotations

from typing import Any

import msgspec

from lumos_nb import clock
from lumos_nb.memory._rows import to_json
from lumos_nb.memory._worker import in_worker
from lumos_nb.stores import Delete, Store, Upsert, default_store


class WorkingMemory:
    """Named JSON values of one scope, a thread or a resource.

    Args:
        scope: Thread id or resource id that the values belong to.
        store: Where they are kept; the default store if not given.

    Example:
        >>> import asyncio, tempfile; from lumos_nb.stores import open_store
        >>> async def main():
        ...     facts = WorkingMemory("customer-7", store=open_store(tempfile.mkdtemp() + "/a.db"))
        ...     await facts.set("name", "Ada")
        ...     return await facts.get("name"), await facts.get("age", 0)
        >>> asyncio.run(main())
        ('Ada', 0)
    """

    def __init__(self, scope: str, *, store: Store | None = None) -> None:
        self.scope = scope
        self._store = store or default_store()

    async def get(self, name: str, default: Any = None) -> Any:
        """Return the value of a name, or `default`."""
        return (await self._read(("name", "=", name))).get(name, default)

    async def all(self) -> dict[str, Any]:
        """Return all values by name."""
        return await self._read()

    async def set(self, name: str, value: Any) -> None:
        """Keep a JSON value under a name; an earlier one is replaced."""
        row = {"scope": self.scope, "name": name, "updated_at": clock.time_ns(), "value_json": to_json(value)}
        await in_worker(self._store, self._store.write, [Upsert("working_memory", row)])

    async def delete(self, name: str) -> None:
        """Remove a name; nothing happens if there is none."""
        where = {"scope": self.scope, "name": name}
        await in_worker(self._store, self._store.write, [Delete("working_memory", where)])

    async def clear(self) -> None:
        """Remove all values of the scope."""
        await in_worker(self._store, self._store.write, [Delete("working_memory", {"scope": self.scope})])

    async def _read(self, *more: tuple[str, str, Any]) -> dict[str, Any]:
        def read() -> dict[str, Any]:
            where = [("scope", "=", self.scope), *more]
            rows = self._store.select("working_memory", ["name", "value_json"], where=where, order=["name"])
            return {name: msgspec.json.decode(value) for name, value in rows}

        return await in_worker(self._store, read)
