// Runs and traces with the extension, as their user sees them.

import { expect, type IJupyterLabPageFixture, test } from '@jupyterlab/galata';

import { agentNotebook } from './notebooks';

const SHOTS = 'ui-tests/results/shots';

const TOOLS = `
from IPython.display import display, HTML

@tool
def rows(table: str, limit: int = 5) -> dict:
    "Rows."
    print("\\x1b[31mreading\\x1b[0m", table)
    return {"rows": [{"region": "north", "n": 12345678901234567890}], "limit": limit}

@tool
def run_python(code: str) -> str:
    "Run."
    display(HTML("<table><tr><th>a</th></tr><tr><td>1</td></tr></table><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"))
    raise ValueError("no such column <b>x</b>")

TEXT = """I'll look at the **orders** for $5 and \`$6\`, with <b>no tags</b> and $x_1^2$.

\`\`\`python
def f(x):
    return x < 1
\`\`\`

| a | b |
|---|--:|
| 1 | 2 |

- one
- two

![far](http://127.0.0.1:1/a.png)
"""
SCRIPT = [
    ToolCall(id="c1", name="rows", arguments='{"table": "orders", "limit": 3}'),
    ToolCall(id="c2", name="run_python", arguments='{"code": "import pandas\\\\nx < 1"}'),
    TEXT,
]
def answers(messages):
    return SCRIPT[min(2, sum(m.role == "tool" for m in messages))]
`;

/** The height that the saved HTML of a cell's output has where the run is drawn. */
function htmlHeight(page: IJupyterLabPageFixture, cell: number): Promise<number> {
  return page.evaluate((cell) => {
    const notebook = (window as any).jupyterapp.shell.currentWidget.content;
    const html = notebook.widgets[cell].model.outputs.get(0).data['text/html'];
    const run = notebook.widgets[cell].node.querySelector('.lumos-run') as HTMLElement;
    const place = document.createElement('div');
    place.className = run.className.replace('lumos-run', '');
    place.innerHTML = html;
    run.after(place);
    run.style.display = 'none'; // the two would share the width
    const height = (place.firstElementChild as HTMLElement).getBoundingClientRect().height;
    place.remove();
    run.style.display = '';
    return height;
  }, cell);
}

test('a run ends as a transcript drawn by the extension, where its saved HTML would stand', async ({ page }) => {
  await page.setViewportSize({ width: 1100, height: 1000 });
  await agentNotebook(page, 'ScriptedProvider(answers), tools=[rows, run_python]', TOOLS);
  await page.notebook.addCell('code', '%%agent\nGo');
  await page.notebook.runCell(1, true);
  const run = page.locator('.lumos-run');
  await expect(run).toContainText('✓ 3 steps · 2 tools');
  await expect(run.locator('.lumos-run-foot')).toContainText('fork');
  await expect(run.locator('strong', { hasText: 'orders' })).toBeVisible();
  await expect(run.locator('b')).toHaveCount(0);
  await expect(run.locator('mjx-container')).toHaveCount(1);
  const jump = async () => {
    const drawn = (await run.locator('[data-lumos=run]').boundingBox())?.height ?? 0;
    return Math.abs(drawn - (await htmlHeight(page, 1)));
  };
  await run.locator('.lumos-run-foot').scrollIntoViewIfNeeded();
  await expect.poll(jump).toBeLessThan(4);
  await run.screenshot({ path: `${SHOTS}/run-light.png` });
  await run.locator('summary', { hasText: 'rows' }).click();
  await expect(run).toContainText('12345678901234567890');
  await expect(run.locator('.ansi-red-fg')).toHaveText('reading');
  await run.getByRole('button', { name: 'waterfall' }).click();
  await page.theme.setDarkTheme();
  await run.screenshot({ path: `${SHOTS}/run-dark.png` });
  expect(await page.evaluate(() => (window as any).hacked)).toBeUndefined();
  await run.getByRole('button', { name: 'trace' }).click();
  const trace = page.locator('.lumos-trace');
  await expect(trace).toContainText('run_python');
  await trace.locator('summary', { hasText: 'script' }).last().click();
  await expect(trace.locator('details[open] .lumos-timebar-body')).toContainText('Answer');
  await trace.screenshot({ path: `${SHOTS}/trace-dark.png` });
  await run.getByRole('button', { name: 'fork' }).click();
  await expect(page.locator('.jp-Cell.jp-mod-active')).toContainText("%%agent -t 'Untitled (fork)'");
});

test('a run is stopped by the command also while a tool keeps the kernel busy', async ({ page }) => {
  const tool = '@tool\ndef block() -> str:\n    "Block."\n    import time\n    time.sleep(60)\n';
  const calls = `ScriptedProvider([ToolCall(id="c", name="block", arguments="{}"), "No."]), tools=[block]`;
  await agentNotebook(page, calls, tool);
  await page.notebook.addCell('code', '%%agent\nGo');
  const ended = page.notebook.runCell(1, true);
  await expect(page.locator('.lumos')).toContainText('running');
  await page.evaluate(() => (window as any).jupyterapp.commands.execute('lumos:stop-run'));
  await ended;
  await expect(page.locator('.lumos-run')).toContainText('Stopped');
});
