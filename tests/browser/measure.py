# ruff: noqa: E501 (texts and scripts of pages stand on one line)
"""Measure the live view in a real page: `python tests/browser/measure.py`.

Every tenth token carries the time at which it was made. A MutationObserver notes when it is in
the document; both clocks are this machine's. Bytes are those of the web socket's frames from the
kernel: up to the end of the run, and for the saved output that replaces the view.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2]))

from conftest import CHROMIUM, CHROMIUM_ARGS, Lab, Notebook  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

PLAIN = """
def stamped(n, rate, size=4, view=None):
    view = view or RunView("measure"); made = {}; every = max(10, n // 500)
    def work():
        view.on_events([e for _, e in start()])
        t0 = time.monotonic()
        for i in range(n):
            due = t0 + i / rate
            while (left := due - time.monotonic()) > 0: time.sleep(min(left, 0.002) if left > 0.0005 else 0)
            text = f"w{i:05d}x " if i % every == 0 else "abc "[:size]
            if i % every == 0: made[i] = time.time()
            view.on_events([TextDelta(text + ("\\n\\n" if i % 100 == 99 else ""))])
        made["end"] = time.time()
        view.on_events([e for _, e in finish()])
    return view, work, made
"""
REAL = """
def stamped(n, rate, size=4, view=None):
    view = view or RunView("measure"); made = {}
    text = ANSWER
    while len(text) < n * size: text += "\\n## Part " + str(len(text)) + "\\n\\n" + ANSWER
    text = text[:n * size]
    def work():
        view.on_events([e for _, e in start()])
        t0 = time.monotonic()
        for i in range(n):
            while (left := t0 + i / rate - time.monotonic()) > 0: time.sleep(min(left, 0.002))
            view.on_events([TextDelta(text[i * size:(i + 1) * size])])
        view.on_events([TextDelta("\\n\\nThe last words are zzend.")])
        made["end"] = time.time()
        view.on_events([e for _, e in finish()])
    return view, work, made
"""
TOOLS = """
def stamped(n, rate, size=4, view=None):
    view = view or RunView("measure"); made = {}
    def work():
        view.on_events([e for _, e in start()])
        for i in range(n):
            call = ToolCall(id=f"c{i}", name="rows", arguments='{"table": "orders", "limit": %d}' % i)
            view.on_events([ToolCallStart(call)])
            time.sleep(1 / rate)
            result = ToolResult(call_id=call.id, name="rows", content="a,b\\n1,2\\n" * 20)
            view.on_events([ToolCallComplete(call.id, result, 0.01)])
        view.on_events([TextDelta("\\n\\nThe last words are zzend.")])
        made["end"] = time.time()
        view.on_events([e for _, e in finish()])
    return view, work, made
"""
RUN = """
class Nobody:
    def on_events(self, events): pass
async def worked(work):
    cpu = time.process_time()
    thread = threading.Thread(target=work); thread.start()
    while thread.is_alive(): await asyncio.sleep(0.01)
    return time.process_time() - cpu
async def measured(n, rate):
    view, work, made = stamped(n, rate); view.open()
    await asyncio.sleep(0.5)
    cpu = await worked(work)
    view.close()
    # What making the tokens at this rate costs, without a view, is not the view's.
    made["cpu"] = cpu - await worked(stamped(n // 4, rate, view=Nobody())[1]) * 4
    return made
"""
OBSERVE = """() => {
  window.tasks = []; window.longTasks?.disconnect();
  window.longTasks = new PerformanceObserver((list) => { for (const e of list.getEntries()) window.tasks.push(e.duration); });
  window.longTasks.observe({type: 'longtask'});
  window.seen = {}; window.changed = 0; window.swapped = 0; window.wasLive = false;
  const now = () => performance.timeOrigin + performance.now();
  window.observer?.disconnect();
  window.observer = new MutationObserver((records) => {
    const t = now();
    for (const r of records) {
      // The notebook marks headings for its table of contents, later and unseen.
      if (!r.target.closest?.('.jp-OutputArea') || /^H\\d$/.test(r.target.tagName)) continue;
      if (window.swapped && !r.target.closest('[data-lumos]')) continue;
      window.changed = t; if (!window.swapped && window.wasLive && !document.querySelector('.lumos')) window.swapped = t; if (document.querySelector('.lumos')) window.wasLive = true;
      for (const node of r.addedNodes)
        for (const m of (node.textContent ?? '').matchAll(/w(\\d{5})x/g)) window.seen[+m[1]] ??= t;
      if (!window.seen.end && r.target.closest('.jp-OutputArea').textContent.includes('zzend')) window.seen.end = t;
    }
  });
  window.observer.observe(document.body, {childList: true, subtree: true});
}"""


def percentile(values: list[float], q: float) -> float:
    return sorted(values)[min(len(values) - 1, int(q * len(values)))]


def measure(nb: Notebook, cell: int, frames: list[tuple[str, int]]) -> dict[str, Any]:
    nb.page.evaluate(OBSERVE)
    frames.clear()
    nb.run(cell)
    nb.wait_done(cell, 180)
    nb.page.wait_for_function("!document.querySelector('.lumos')")
    nb.page.wait_for_timeout(1500)
    made = eval(nb.output(cell).locator(".jp-OutputArea-output pre").last.inner_text())
    seen = {k: v / 1000 for k, v in nb.page.evaluate("window.seen").items()}
    changed = nb.page.evaluate("window.changed") / 1000
    lags = [seen[str(k)] - t for k, t in made.items() if isinstance(k, int) and str(k) in seen]
    wanted = [k for k in made if isinstance(k, int)]
    saved = sum(size for kind, size in frames if kind == "update_display_data")
    return {
        "lags": lags, "lost": len(wanted) - len(lags), "settled": changed - made["end"], "cpu": made["cpu"],
        "blocked": max(nb.page.evaluate("window.tasks"), default=0),
        "stream": sum(size for _, size in frames) - saved, "saved": saved, "frames": len(frames),
        "last": (seen.get("end") or max(seen.values(), default=0)) - made["end"] if "end" in seen else lags[-1] if lags else 0,
    }  # fmt: skip


def kind_of(data: Any) -> str:
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    return next(
        (k for k in ("update_display_data", "comm_msg", "comm_open", "display_data") if f'"{k}"' in text), "other"
    )


def main() -> None:
    setup = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\nfrom script import *\n"
    runs = [
        ("plain", 2000, 200),
        ("plain", 3500, 1000),
        ("markdown", 2000, 200),
        ("markdown", 2000, 1000),
        ("markdown", 5000, 1000),
        ("plain", 100_000, 5000),
        ("tools", 500, 50),
    ]
    only = sys.argv[1:] and [runs[int(a)] for a in sys.argv[1:]]
    runs = only or runs
    lab = Lab(Path(tempfile.mkdtemp()) / "lab")
    frames: list[tuple[str, int]] = []
    try:
        with sync_playwright() as p:
            chromium = p.chromium.launch(executable_path=CHROMIUM, headless=True, args=CHROMIUM_ARGS)
            page = chromium.new_page(viewport={"width": 1100, "height": 850})
            page.on("websocket", lambda ws: ws.on("framereceived", lambda d: frames.append((kind_of(d), len(d)))))
            print(
                "answer    tokens   rate | p50 ms  p95 ms  max ms  lost | last ms  settled ms | stream kB  saved kB  frames | cpu us/token | longest task ms"
            )
            for i, (kind, n, rate) in enumerate(runs):
                source = {"plain": PLAIN, "markdown": REAL, "tools": TOOLS}[kind]
                lab.write(f"m{i}.ipynb", [setup + source + RUN, f"await measured({n}, {rate})"])
                nb = Notebook(page, lab, f"m{i}.ipynb").open()
                nb.run(0)
                nb.wait_done(0)
                m = measure(nb, 1, frames)
                ms = [1000 * x for x in m["lags"]] or [float("nan")]
                print(
                    f"{kind:9} {n:6} {rate:6} | {percentile(ms, .5):6.0f}  {percentile(ms, .95):6.0f}  {max(ms):6.0f}  {m['lost']:4} |"
                    f" {1000 * m['last']:7.0f}  {1000 * m['settled']:10.0f} | {m['stream'] / 1000:9.1f}  {m['saved'] / 1000:8.1f}  {m['frames']:6} |"
                    f" {1e6 * m['cpu'] / n:8.0f} | {m['blocked']:8.0f}", flush=True,
                )  # fmt: skip
                lab.shut_down_kernels()
            chromium.close()
    finally:
        lab.close()


if __name__ == "__main__":
    main()
