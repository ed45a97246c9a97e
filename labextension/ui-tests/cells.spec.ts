// Cells of agents as their user writes, runs and keeps them fresh.

import { type IJupyterLabPageFixture, expect, test } from '@jupyterlab/galata';

import { agentNotebook } from './notebooks';

const TOOL = 'orders = [1, 2, 3]';
const PROMPT = '%%agent analyst -t \n# How many\n\nCount **all** of {{ orders.count(1) }}, and _say_ so.\n\n- `a`';

const editor = (page: IJupyterLabPageFixture, i: number) =>
  page.locator('.jp-Notebook .jp-Cell').nth(i).locator('.cm-content');
const shot = (page: IJupyterLabPageFixture, name: string) =>
  page.screenshot({ path: `ui-tests/results/shots/cells-${name}.png` });

/** Puts the cursor behind a text of a cell. */
async function cursorBehind(page: IJupyterLabPageFixture, cell: number, text: string): Promise<void> {
  await page.notebook.enterCellEditingMode(cell);
  await page.evaluate(
    ([cell, text]) => {
      const notebook = (window as any).jupyterapp.shell.currentWidget.content;
      const editor = notebook.widgets[cell as number].editor;
      const at = editor.model.sharedModel.getSource().indexOf(text as string) + (text as string).length;
      editor.setCursorPosition(editor.getPositionAt(at));
      editor.focus();
    },
    [cell, text] as const,
  );
}

const source = (page: IJupyterLabPageFixture, cell: number) =>
  page.evaluate(
    (i) => (window as any).jupyterapp.shell.currentWidget.content.widgets[i].model.sharedModel.getSource(),
    cell,
  );

test('a cell of an agent is written with highlighting, completion and hints', async ({ page }) => {
  await agentNotebook(page, "ScriptedProvider(['Three.', 'Three.', 'Three.'])", TOOL);
  await page.notebook.addCell('code', PROMPT);
  const cell = editor(page, 1);
  await expect(cell.locator('.cm-line').first()).toContainText('%%agent');
  await expect(cell).toHaveClass(/cm-lineWrapping/);
  const colour = (text: string) =>
    cell.evaluate((node, text) => {
      const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) {
        if (walker.currentNode.textContent!.includes(text)) {
          const { color, fontWeight, fontStyle } = getComputedStyle(walker.currentNode.parentElement!);
          return `${color} ${fontWeight} ${fontStyle}`;
        }
      }
      return 'nowhere';
    }, text);
  const plain = await colour(', and ');
  for (const text of ['%%agent', 'How many', 'all', 'count', '{{']) expect(await colour(text), text).not.toBe(plain);

  await cursorBehind(page, 1, '-t ');
  await expect(page.locator('.lumos-cell-hint')).toContainText('THREAD');
  await shot(page, 'hint');
  await cursorBehind(page, 1, 'analyst');
  await page.keyboard.type(' --max');
  await page.keyboard.press('Tab');
  const completer = page.locator('.jp-Completer:not(.lm-mod-hidden)');
  await expect(completer).toContainText('--max-cost');
  await expect(completer).toContainText('in US dollars');
  await expect(completer.locator('.jp-Completer-item')).toHaveCount(2);
  await shot(page, 'completion');
  await page.keyboard.press('Escape');
  await cursorBehind(page, 1, '{{ ord');
  await page.keyboard.press('Tab');
  await expect(completer.locator('.jp-Completer-item', { hasText: 'orders' })).toHaveCount(1);
  await expect(completer.locator('.jp-Completer-item')).toHaveCount(2);
  await shot(page, 'completion-python');
  await page.keyboard.press('Escape');

  // A cell that is one no more loses it all, and undo brings it back, with the cursor where it was.
  await page.notebook.setCell(1, 'code', 'x = 1');
  await expect(cell).not.toHaveClass(/cm-lineWrapping/);
  await page.theme.setDarkTheme();
  await page.notebook.setCell(1, 'code', PROMPT.replace(' -t ', ''));
  await shot(page, 'dark');
});

test('the bar of a cell runs it, shows its cost, and edits its first line; a stale result says so', async ({
  page,
}) => {
  await agentNotebook(page, "ScriptedProvider(lambda messages: 'Three.')", TOOL);
  await page.notebook.addCell('code', '%%agent analyst\nHow many in {{ orders }}?');
  await page.notebook.addCell('code', 'orders = [1]');
  const bar = page.locator('.lumos-cell-bar [role=toolbar]');
  await expect(bar).toHaveCount(1);
  await bar.getByText('Dry run').click();
  await expect(page.locator('.jp-Dialog')).toContainText('Nothing was sent.');
  await shot(page, 'dry-run');
  await page.locator('.jp-Dialog').getByText('Close').click();

  await bar.getByText('live').click();
  await shot(page, 'tape-menu');
  await page.locator('.lm-Menu').getByText('Replay from the tape').click();
  expect(await source(page, 1)).toContain('%%agent analyst --replay\n');
  await bar.getByText('replay').click();
  await page.locator('.lm-Menu').getByText('As the notebook').click();
  expect(await source(page, 1)).toContain('%%agent analyst\n');

  await page.notebook.runCell(1, true);
  await expect(page.locator('.lumos-run')).toContainText('1 step');
  await expect(page.locator('.lumos-status')).toContainText('script');
  await expect(page.locator('.lumos-stale')).toHaveCount(0);
  await page.notebook.runCell(2, true);
  await expect(page.locator('.lumos-stale')).toContainText('Stale: orders was written again since.');
  await page.notebook.selectCells(1);
  await shot(page, 'stale');
  await page.theme.setDarkTheme();
  await shot(page, 'stale-dark');
  await page.locator('.lumos-stale').getByText('Run again').click();
  await expect(page.locator('.lumos-stale')).toHaveCount(0);
  await page.locator('.lumos-status button').click();
  await expect(page.locator('.lm-Menu')).toContainText('Switch thread');
  await shot(page, 'status-menu');
  await page.keyboard.press('Escape');

  // What shortcuts name is there, and they work.
  const missing = await page.evaluate(async () => {
    const app = (window as any).jupyterapp;
    const schema = (await app.serviceManager.settings.fetch('lumos-nb:settings')).schema;
    const named = schema['jupyter.lab.shortcuts'].map(({ command }: any) => command);
    return named.filter((id: string) => !app.commands.hasCommand(id));
  });
  expect(missing).toEqual([]);
  await page.notebook.selectCells(1);
  await page.keyboard.press('Alt+j');
  await page.keyboard.press('d');
  await expect(page.locator('.jp-Dialog')).toContainText('Nothing was sent.');
  await page.locator('.jp-Dialog').getByText('Close').click();
});
