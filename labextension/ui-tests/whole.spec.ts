// The extension as a whole: what it weighs, whether everybody can use it, and Notebook 7.

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import AxeBuilder from '@axe-core/playwright';
import { expect, test, type IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { Page } from '@playwright/test';

const STATIC = join(__dirname, '..', 'dist', 'lumos-nb', 'static');
const BOOK = [
  `%load_ext lumos_nb
from lumos_nb import Agent, cell_tools, tool
from lumos_nb.messages import ToolCall
from lumos_nb.testing import ScriptedProvider
import json
def call(n, name, **given): return ToolCall(id=f"c{n}", name=name, arguments=json.dumps(given))
@tool
def rows(limit: int = 5) -> list[dict]:
    "First rows."
    return [{"n": n, "name": f"row {n}"} for n in range(limit)]
reader = Agent("reader", model=ScriptedProvider([[call(1, "rows", limit=3)], "Three **rows**:\\n\\n\`\`\`python\\nx = 1\\n\`\`\`"]), tools=[rows])
writer = Agent("writer", model=ScriptedProvider([[
  call(1, "insert_cell", source="y = 2", after="a"),
  call(2, "edit_cell", cell_id="a", source="x = 2", old="x = 1"),
  call(3, "delete_cell", cell_id="b"), call(4, "run_cell", cell_id="a")], "Done."]), tools=cell_tools())`,
  '%%agent reader\nRead {{ 1 + 1 }}',
  'x = 1',
  'z = 3',
  '%%agent writer\nGo',
];
const NOTEBOOK = {
  cells: BOOK.map((source, i) => ({
    id: ['set-up', 'read', 'a', 'b', 'write'][i],
    cell_type: 'code',
    source,
    metadata: {},
    outputs: [],
    execution_count: null,
  })),
  metadata: { kernelspec: { name: 'python3', display_name: 'Python 3', language: 'python' } },
  nbformat: 4,
  nbformat_minor: 5,
};

/** What axe finds serious in the extension's own parts. */
async function serious(page: Page, ...parts: string[]): Promise<string[]> {
  const axe = parts.reduce((axe, part) => axe.include(part), new AxeBuilder({ page }));
  const { violations } = await axe.analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} ${target} ${failureSummary}`));
}

/** Errors of the page that are ours. */
function errorsOf(page: Page): string[] {
  const found: string[] = [];
  page.on('pageerror', ({ stack = '' }) => /lumos/.test(stack) && found.push(stack));
  page.on(
    'console',
    (message) => message.type() === 'error' && /lumos/i.test(message.text()) && found.push(message.text()),
  );
  return found;
}

/** Runs all cells by the menu, as a person does: Notebook 7 shows its application to nobody. */
async function runAll(page: Page): Promise<void> {
  await expect(page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')).toBeVisible({ timeout: 40_000 });
  await page.locator('.lm-MenuBar-item', { hasText: /^Run$/ }).click();
  await page.locator('.lm-Menu-itemLabel', { hasText: /^Run All Cells$/ }).click();
  await expect(page.locator('.lumos-proposal')).toHaveCount(4, { timeout: 40_000 });
}

test('what is sent of the extension is at most 300 KB', () => {
  const sizes = readdirSync(STATIC)
    .filter((name) => name.endsWith('.js'))
    .map((name) => statSync(join(STATIC, name)).size);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(300_000);
});

test('axe finds nothing serious in what the extension draws', async ({ page }) => {
  const errors = errorsOf(page);
  await page.notebook.createNew();
  await page.evaluate((book) => {
    const { sharedModel } = (window as any).jupyterapp.shell.currentWidget.content.model;
    book.cells.forEach((cell: any, i: number) => sharedModel.insertCell(i, cell));
    sharedModel.deleteCell(book.cells.length);
  }, NOTEBOOK);
  await runAll(page);
  const drawn = ['.lumos-run', '.lumos-proposals', '.lumos-proposal'];
  for (const dark of [false, true]) {
    await (dark ? page.theme.setDarkTheme() : page.theme.setLightTheme());
    await page.screenshot({ path: `ui-tests/results/shots/whole-${dark ? 'dark' : 'light'}.png` });
    expect.soft(await serious(page, ...drawn)).toEqual([]);
  }
  await page.evaluate(async () => {
    const { commands } = (window as any).jupyterapp;
    for (const id of commands.listCommands().filter((id: string) => /^lumos:(show|open|toggle)-(panel|chat)/.test(id)))
      await commands.execute(id);
  });
  for (const part of ['#lumos-panel', '.lumos-panel', '.lumos-chat'])
    if (await page.locator(part).count()) expect.soft(await serious(page, part)).toEqual([]);
  await page.screenshot({ path: 'ui-tests/results/shots/whole-panel.png' });
  expect(errors).toEqual([]);
});

test('runs and proposals work in Notebook 7, and nothing throws', async ({ page, context, tmpPath }) => {
  await upload(page, `${tmpPath}/seven.ipynb`);
  const seven = await context.newPage();
  const errors = errorsOf(seven);
  await seven.goto(page.url().replace(/\/lab.*/, `/notebooks/${tmpPath}/seven.ipynb`));
  await runAll(seven);
  await expect(seven.locator('.lumos-run').first()).toContainText('rows');
  await seven.screenshot({ path: 'ui-tests/results/shots/whole-notebook7.png' });
  await seven.locator('.lumos-proposals').getByRole('button', { name: 'Accept all' }).click();
  await expect(seven.locator('.lumos-proposal')).toHaveCount(0, { timeout: 20_000 });
  expect(errors).toEqual([]);
});

async function upload(page: IJupyterLabPageFixture, path: string): Promise<void> {
  await page.contents.uploadContent(JSON.stringify(NOTEBOOK), 'text', path);
}
