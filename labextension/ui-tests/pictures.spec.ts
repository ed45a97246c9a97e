// The pictures of the documentation: LUMOS_PICTURES=1 jlpm ui pictures.spec.ts

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test, type IJupyterLabPageFixture } from '@jupyterlab/galata';

const IMAGES = join(__dirname, '..', '..', 'docs', 'images');
const CELLS = [
  ['markdown', 'title', '## Orders of May'],
  [
    'code',
    'set-up',
    `%load_ext lumos_nb
import pandas as pd
from lumos_nb import Agent, cell_tools, settings, tool

settings.configure(budget_usd=5)
orders = pd.read_csv("orders.csv", parse_dates=["day"])`,
  ],
  [
    'code',
    'agent',
    `@tool
def revenue_by(column: str) -> pd.DataFrame:
    """Revenue, orders and average order for each value of a column."""
    by = orders.groupby(column).amount.agg(revenue="sum", orders="count", average="mean")
    return by.sort_values("revenue", ascending=False).round(2)

analyst = Agent("analyst", model=claude, tools=[revenue_by, *cell_tools()])`,
  ],
] as const;
const ASKS = '%%agent\nWhich region brings most revenue? Compare the averages.';
const REGIONS = 'revenue = orders.groupby("region").amount.sum()\ntypical = orders.groupby("region").amount.mean()';

test.skip(!process.env.LUMOS_PICTURES, 'They are taken by hand, and looked at.');
test.use({ viewport: { width: 1200, height: 800 } });

/** Opens the shop's notebook under a name that reads well, with its cells run; the kernel knows the model. */
async function shop(page: IJupyterLabPageFixture, ...more: (readonly [string, string])[]): Promise<void> {
  await page.notebook.createNew('orders.ipynb');
  await aside(page, readFileSync(join(__dirname, 'shop.py'), 'utf-8'));
  await page.evaluate(
    (cells) => {
      const shared = (window as any).jupyterapp.shell.currentWidget.content.model.sharedModel;
      cells.forEach(([cell_type, id, source], i) => shared.insertCell(i, { id, source, cell_type }));
      shared.deleteCell(cells.length);
    },
    [...CELLS, ...more.map(([id, source]) => ['code', id, source] as const)],
  );
  for (let cell = 0; cell < CELLS.length; cell++) await page.notebook.runCell(cell, true);
  await aside(page, '%agent use analyst\n%thread new "May by region"');
}

/** Runs code that the picture does not show. */
async function aside(page: IJupyterLabPageFixture, code: string): Promise<void> {
  await page.evaluate(async (code) => {
    const { sessionContext } = (window as any).jupyterapp.shell.currentWidget;
    await sessionContext.ready;
    await sessionContext.session.kernel.requestExecute({ code, silent: true }).done;
  }, code);
}

/** Runs a cell without waiting for its end. */
async function begin(page: IJupyterLabPageFixture, cell: number): Promise<void> {
  await page.evaluate((cell) => {
    const { shell, commands } = (window as any).jupyterapp;
    shell.currentWidget.content.activeCellIndex = cell;
    void commands.execute('notebook:run-cell');
  }, cell);
}

/** Moves the edge between two parts of the window. */
async function drag(page: IJupyterLabPageFixture, handle: string, by: number): Promise<void> {
  const { x, y, width, height } = (await page.locator(handle).first().boundingBox())!;
  await page.mouse.move(x + width / 2, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width / 2 + by, y + height / 2, { steps: 5 });
  await page.mouse.up();
}

test('the notebook, the side panel and the chat', async ({ page }) => {
  await shop(page, ['ask', ASKS]);
  await page.evaluate(() => (window as any).jupyterapp.shell.widgets('main').next().value.close());
  await page.sidebar.openTab('lumos-panel');
  await begin(page, CELLS.length);
  const run = page.locator('.jp-Notebook .lumos-run');
  await expect(run).toContainText('each of them smaller', { timeout: 30_000 });
  await page.evaluate(() => (window as any).jupyterapp.commands.execute('lumos:open-chat'));
  const chat = page.locator('.lumos-chat');
  await chat.getByRole('textbox').fill('Why are the orders of the west smaller?');
  await page.keyboard.press('Enter');
  await expect(chat).toContainText('The other regions did not change', { timeout: 20_000 });
  await expect(page.locator('#lumos-panel')).toContainText('Weekly report');
  await drag(page, '#jp-main-dock-panel .lm-DockPanel-handle:not(.lm-mod-hidden)', 78);
  await run.locator('summary', { hasText: 'revenue_by' }).click();
  await run.evaluate((drawn) => drawn.closest('.jp-Cell')!.scrollIntoView());
  await run.evaluate(() => (document.activeElement as HTMLElement).blur());
  await page.mouse.move(0, 400);
  for (const theme of ['light', 'dark']) {
    await (theme === 'dark' ? page.theme.setDarkTheme() : page.theme.setLightTheme());
    await page.waitForTimeout(500);
    await page.screenshot({ path: join(IMAGES, `lab-${theme}.png`) });
  }
});

test('a proposed edit', async ({ page }) => {
  await shop(page, ['regions', REGIONS], ['ask', '%%agent\nMake the cell above sturdier.']);
  await page.notebook.runCell(CELLS.length, true);
  await begin(page, CELLS.length + 1);
  await expect(page.locator('.lumos-proposal')).toHaveCount(1, { timeout: 60_000 });
  await page.sidebar.close('left');
  await page.screenshot({ path: join(IMAGES, 'proposal-light.png') });
});
