"""Ten thousand threads are a page of them."""

import time

import pytest

from lumos_nb.stores import Insert, open_store
from tests.kernels import Kernel
from tests.notebook.lab.labpage import LabPage

N = 10_000


@pytest.fixture(scope="module")
def filled(kernel: Kernel) -> Kernel:
    now = time.time_ns()
    threads = [
        {"thread_id": f"t{i:05}", "title": f"thread {i}", "agent": f"agent {i % 7}", "status": "open",
         "created_at": now - i, "updated_at": now - i * 10**9, "n_runs": 1, "n_messages": 4, "cost_usd": 0.0}
        for i in range(N)
    ]  # fmt: skip
    messages = [
        {"message_id": f"m{i}", "thread_id": f"t{i // 4:05}", "idx": i % 4, "role": "user", "created_at": now,
         "text": f"Words of message {i} " * 20, "content_json": "{}"}
        for i in range(4 * N)
    ]  # fmt: skip
    (kernel.folder / ".lumos").mkdir(exist_ok=True)
    store = open_store(kernel.folder / ".lumos" / "lumos.db")
    store.write([Insert("threads", row) for row in threads])
    store.write([Insert("messages", row) for row in messages])
    store.close()
    return kernel


def test_the_first_page_the_last_and_a_search_are_a_page_each(filled: Kernel, page: LabPage):
    first = page.ask("threads.list", limit=50)
    assert (first["n_found"], [row["title"] for row in first["rows"]][:2]) == (N, ["thread 0", "thread 1"])
    last = page.ask("threads.list", offset=N - 10, limit=50)
    assert [row["title"] for row in last["rows"]] == [f"thread {i}" for i in range(N - 10, N)]
    found = page.ask("threads.list", words="message 39999")
    assert [row["title"] for row in found["rows"]] == ["thread 9999"]
    assert page.ask("threads.list", words="WORDS agent", limit=1)["n_found"] == N
    assert page.ask("threads.list", offset=N + 5)["rows"] == []
