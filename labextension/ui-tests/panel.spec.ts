// The side panel, as its user sees it.

import { expect, type IJupyterLabPageFixture, test } from '@jupyterlab/galata';

import { agentNotebook } from './notebooks';

const SHOTS = 'ui-tests/results/shots';
const TOOLS = [
  '@tool(permission="ask")',
  'def clear(path: str, force: bool = False) -> str:',
  '    """Remove a file."""',
  '    return f"removed {path} {force}"',
  '@tool',
  'def rows(n: int) -> int:',
  '    """Count rows."""',
  '    return n',
].join('\n');
const ASKS = `[[ToolCall(id="c1", name="clear", arguments='{"path": "orders.csv"}')], "Done."]`;

async function openPanel(page: IJupyterLabPageFixture) {
  await page.sidebar.openTab('lumos-panel');
  return page.locator('#lumos-panel');
}

test('the panel lists threads, runs and agents of the notebook in front', async ({ page }) => {
  const panel = await openPanel(page);
  await expect(panel).toContainText('Open a notebook to see');
  await page.notebook.createNew();
  await expect(panel).toContainText('%load_ext lumos_nb');
  await page.screenshot({ path: `${SHOTS}/panel-no-kernel.png` });
  await agentNotebook(
    page,
    "ScriptedProvider(['Hi'] * 9), instructions='Count orders.\\nAlways.', tools=[clear, rows]",
    TOOLS,
  );
  await expect(panel).toContainText('No threads yet');
  await page.notebook.addCell('code', '%%agent -t "Orders of May <b>x</b>" --new\nHow many orders?');
  await page.notebook.runCell(1, true);
  await page.notebook.addCell('code', '%%agent -t weather --new\nRain in Oslo?');
  await page.notebook.runCell(2, true);

  const threads = panel.getByRole('list', { name: 'Threads' }).getByRole('listitem');
  await expect(threads).toHaveCount(2);
  await expect(threads.nth(1)).toContainText('Orders of May <b>x</b>');
  await page.screenshot({ path: `${SHOTS}/panel-threads.png` });

  // Renamed in place, by keyboard.
  await threads.nth(0).focus();
  await page.keyboard.press('ArrowDown');
  await expect(threads.nth(1)).toBeFocused();
  await page.keyboard.press('F2');
  await page.keyboard.type('Orders');
  await page.keyboard.press('Enter');
  await expect(threads.nth(0)).toContainText('Orders');
  await expect(panel).not.toContainText('<b>x</b>');

  // Found, forked, used, archived, deleted.
  await panel.getByRole('searchbox').fill('oslo');
  await expect(threads).toHaveCount(1);
  await threads.nth(0).click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Use for the next cell' }).click();
  await expect(threads.nth(0)).toContainText('in use');
  await panel.getByRole('button', { name: 'More for weather' }).click();
  await page.screenshot({ path: `${SHOTS}/panel-menu.png` });
  await page.getByRole('menuitem', { name: 'Fork' }).click();
  await expect(threads).toHaveCount(2);
  await panel.getByRole('button', { name: 'More for weather (fork)' }).click();
  await page.getByRole('menuitem', { name: 'Archive', exact: true }).click();
  await expect(threads).toHaveCount(1);
  await panel.getByLabel('Archived').check();
  await expect(threads).toHaveCount(1);
  await threads.nth(0).focus();
  await page.keyboard.press('Delete');
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(panel).toContainText('No thread has these words');

  await panel.getByRole('tab', { name: 'Runs' }).click();
  const runs = panel.getByRole('list', { name: 'Runs' }).getByRole('listitem');
  await expect(runs).toHaveCount(2);
  await expect(runs.nth(0)).toContainText('cost unknown');
  await page.screenshot({ path: `${SHOTS}/panel-runs.png` });
  await panel.getByRole('searchbox').fill('orders');
  await expect(runs).toHaveCount(1);
  await runs.nth(0).click();
  await expect(page.locator('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell.jp-mod-active')).toContainText(
    'How many orders',
  );

  await panel.getByRole('tab', { name: 'Agents' }).click();
  await expect(panel.getByRole('region', { name: 'analyst' })).toContainText('Count orders.');
  await expect(panel.getByRole('list', { name: 'Tools of analyst' })).toContainText('clear');
  await page.screenshot({ path: `${SHOTS}/panel-agents.png` });
  await page.theme.setDarkTheme();
  await page.screenshot({ path: `${SHOTS}/panel-agents-dark.png` });
  await panel.getByRole('tab', { name: 'Threads' }).click();
  await page.screenshot({ path: `${SHOTS}/panel-threads-dark.png` });
});

test('a call that waits is answered in the panel, wherever it came from, and the cell shows it', async ({ page }) => {
  const panel = await openPanel(page);
  await agentNotebook(page, `ScriptedProvider(${ASKS})`, `${TOOLS}\nsettings.configure(budget_usd=5)`);
  await page.notebook.addCell('code', 'asker = Agent("asker", model=ScriptedProvider(' + ASKS + '), tools=[clear])');
  await page.notebook.runCell(1, true);
  await page.notebook.addCell('code', '%%agent asker\nClear it');
  void page.notebook.runCell(2);
  const tab = page.locator('.lm-TabBar-tab[data-id="lumos-panel"]');
  await expect(tab).toHaveAttribute('data-lumos-waiting', '1');
  await panel.getByRole('tab', { name: 'Approvals' }).click();
  const call = panel.getByRole('listitem', { name: 'clear waits for you' });
  await expect(call).toContainText('orders.csv');
  await page.screenshot({ path: `${SHOTS}/approval.png` });
  await call.getByRole('button', { name: 'Edit…' }).click();
  await call.getByLabel('path').fill('july.csv');
  await page.screenshot({ path: `${SHOTS}/approval-edit.png` });
  await call.getByRole('button', { name: 'Allow with these arguments' }).click();
  await expect(panel).toContainText('Nothing waits for you');
  await expect(tab).not.toHaveAttribute('data-lumos-waiting');
  await expect(page.locator('.jp-Cell').nth(2)).toContainText('july.csv');
  await page.screenshot({ path: `${SHOTS}/approval-done.png` });
});

const FILL = [
  'import time',
  'from lumos_nb.memory import Memory',
  'from lumos_nb.stores import Insert',
  'now = time.time_ns()',
  'Memory().store.write([Insert("threads", {"thread_id": f"t{i}", "title": f"thread {i}", "agent": "analyst",',
  '    "status": "open", "created_at": now, "updated_at": now - i * 10**9, "n_runs": 1, "n_messages": 2,',
  '    "cost_usd": 0.1}) for i in range(10_000)])',
].join('\n');

test('ten thousand threads scroll in a few rows of the page, and two notebooks are told apart', async ({ page }) => {
  const panel = await openPanel(page);
  const name = await agentNotebook(page, "ScriptedProvider(['Hi'] * 9)", FILL);
  const threads = panel.getByRole('list', { name: 'Threads' }).getByRole('listitem');
  await expect(threads.first()).toContainText('thread 0');
  const few = await threads.count();
  expect(few).toBeLessThan(60);
  await threads.first().focus();
  await page.keyboard.press('End');
  await expect(threads.last()).toContainText('thread 9999');
  await expect(threads.last()).toBeFocused();
  expect(await threads.count()).toBeLessThan(60);
  const frames = await page.evaluate(async () => {
    const list = document.querySelector('.lumos-list')!;
    const slow: number[] = [];
    for (let i = 0, before = performance.now(); i < 60; i++) {
      list.scrollTop = (i * list.scrollHeight) / 60;
      await new Promise(requestAnimationFrame);
      slow.push(performance.now() - before);
      before = performance.now();
    }
    return slow.sort((a, b) => a - b);
  });
  console.log(`frame: median ${frames[30].toFixed(1)} ms, slowest ${frames[59].toFixed(1)} ms`);
  await panel.getByRole('searchbox').fill('9876');
  await expect(threads).toHaveCount(1);
  await page.sidebar.setWidth(252, 'left'); // 220 px beside the icons
  await page.screenshot({ path: `${SHOTS}/panel-narrow.png` });

  // A second notebook: its kernel can be chosen, and what waits there is seen from here.
  await agentNotebook(page, `ScriptedProvider(${ASKS}), tools=[clear]`, TOOLS);
  await expect(panel.getByLabel('Notebook')).toBeVisible();
  await page.notebook.addCell('code', '%%agent\nClear it');
  void page.notebook.runCell(1);
  await expect(panel.locator('.lumos-count')).toHaveText('1');
  await page.activity.activateTab(name);
  await panel.getByRole('tab', { name: 'Approvals' }).click();
  const call = panel.getByRole('listitem', { name: 'clear waits for you' });
  await call.getByRole('button', { name: 'Deny…' }).click();
  await call.getByLabel('Why, as the model is told').fill('Not on a Friday');
  await page.screenshot({ path: `${SHOTS}/approval-other-notebook.png` });
  await page.keyboard.press('Enter');
  await expect(panel).toContainText('Nothing waits for you');

  // A kernel that ends is said to have ended.
  await page.evaluate(() => (window as any).jupyterapp.shell.currentWidget.sessionContext.restartKernel());
  await panel.getByRole('tab', { name: 'Threads' }).click();
  await expect(panel).toContainText('has not loaded lumos_nb');
});
