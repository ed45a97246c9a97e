// What agents propose to do to cells: seen in its place, decided, taken back.

import { expect, test, type IJupyterLabPageFixture } from '@jupyterlab/galata';

// Two cores may serve five such tests at once.
const within = { timeout: 20_000 };

const setUp = (steps: string) => `%load_ext lumos_nb
from lumos_nb import Agent, cell_tools
from lumos_nb.messages import ToolCall
from lumos_nb.testing import ScriptedProvider
import json
def call(n, name, **given): return ToolCall(id=f"c{n}", name=name, arguments=json.dumps(given))
writer = Agent("writer", model=ScriptedProvider([${steps}, "Done."]), tools=cell_tools())`;

/** A notebook with three cells of known ids behind the set-up, and an agent's cell at its end, which runs. */
async function notebook(page: IJupyterLabPageFixture, steps: string, line = 'writer'): Promise<void> {
  await page.notebook.createNew();
  await page.evaluate(
    ([setUp, go]) => {
      const shared = (window as any).jupyterapp.shell.currentWidget.content.model.sharedModel;
      shared.cells[0].setSource(setUp);
      const cells = [
        ['load', 'import math\nrows = [1, 2, 3]\ntotal = sum(rows)\nprint(total)'],
        ['plot', 'print("<b>bold</b>")'],
        ['old', 'print("old")'],
        ['own', go],
      ];
      cells.forEach(([id, source], i) => shared.insertCell(1 + i, { id, source, cell_type: 'code' }));
    },
    [setUp(steps), `%%agent ${line}\nGo`],
  );
  await page.notebook.runCell(0, true);
  await page.evaluate(() => {
    const { content } = (window as any).jupyterapp.shell.currentWidget;
    content.activeCellIndex = content.widgets.length - 1;
    void (window as any).jupyterapp.commands.execute('notebook:run-cell');
  });
}

const sources = (page: IJupyterLabPageFixture): Promise<string[]> =>
  page.evaluate(() =>
    (window as any).jupyterapp.shell.currentWidget.content.widgets.map((cell: any) =>
      cell.model.sharedModel.getSource(),
    ),
  );

const undo = (page: IJupyterLabPageFixture, command = 'notebook:undo-cell-action') =>
  page.evaluate((command) => (window as any).jupyterapp.commands.execute(command), command);

const FOUR = `[
  call(1, "insert_cell", source="average = total / len(rows)\\nprint(f'<script>{average}</script>')", after="load"),
  call(2, "edit_cell", cell_id="load", source="rows = [1, 2, 3, 4]", old="rows = [1, 2, 3]"),
  call(3, "delete_cell", cell_id="old"),
  call(4, "run_cell", cell_id="plot"),
]`;

test('each kind of proposal stands in its place, and one Undo takes back what was accepted', async ({ page }) => {
  await notebook(page, FOUR);
  const blocks = page.locator('.lumos-proposal');
  await expect(blocks).toHaveCount(4, within);
  await expect(page.locator('.lumos-proposals-words')).toHaveText('4 proposed changes');
  const before = await sources(page);
  await page.screenshot({ path: 'ui-tests/results/shots/proposals-light.png' });
  await page.theme.setDarkTheme();
  await page.screenshot({ path: 'ui-tests/results/shots/proposals-dark.png' });
  await page.theme.setLightTheme();

  const edit = page.locator('.lumos-proposal-edit');
  await expect(edit.locator('.lumos-diff-added')).toContainText('rows = [1, 2, 3, 4]');
  await edit.getByRole('button', { name: 'Accept', exact: true }).click();
  await expect(blocks).toHaveCount(3);
  await expect.poll(() => sources(page)).toContain('import math\nrows = [1, 2, 3, 4]\ntotal = sum(rows)\nprint(total)');

  await page.locator('.lumos-proposal-insert').getByRole('button', { name: 'Accept', exact: true }).click();
  await expect.poll(async () => (await sources(page)).length).toBe(before.length + 1);
  await undo(page);
  await expect.poll(async () => (await sources(page)).length).toBe(before.length);

  await page.locator('.lumos-proposal-delete').getByRole('button', { name: 'Accept', exact: true }).click();
  await expect.poll(async () => (await sources(page)).length).toBe(before.length - 1);
  await undo(page);
  await expect.poll(() => sources(page)).toContain('print("old")');

  await page.evaluate(() => {
    const { content } = (window as any).jupyterapp.shell.currentWidget;
    content.activeCellIndex = 1;
    content.mode = 'edit';
  });
  await page.keyboard.press('Control+z');
  await expect.poll(() => sources(page)).toEqual(before);

  await page.locator('.lumos-proposal-run').getByRole('button', { name: 'Reject', exact: true }).click();
  await expect(page.locator('.lumos-proposals')).toBeHidden();
  await expect(page.locator('.jp-OutputArea').last()).toContainText('Done.', within);
});

test('a proposal is changed first, refused with a reason, and comes back after a reload', async ({ page }) => {
  const steps = `[call(1, "insert_cell", source="x = 1", after="load"), call(2, "run_cell", cell_id="plot")]`;
  await notebook(page, `${steps}, [call(3, "insert_cell", source="late = 1")]`);
  const insert = page.locator('.lumos-proposal-insert');
  await insert.getByRole('button', { name: 'Edit…' }).press('Enter');
  await insert.getByRole('textbox').fill('x = 2');
  await page.screenshot({ path: 'ui-tests/results/shots/proposals-edit.png' });
  await insert.getByRole('button', { name: 'Accept as edited' }).click();
  await expect.poll(() => sources(page)).toContain('x = 2');
  const run = page.locator('.lumos-proposal-run');
  await run.getByRole('button', { name: 'Reject with a reason…' }).click();
  await run.getByRole('textbox').fill('not now');
  await run.getByRole('textbox').press('Enter');
  await expect(page.locator('.lumos-proposal')).toContainText('writer proposes a new cell here');
  await page.notebook.save();
  await page.reload({ waitForIsReady: false });
  await expect(page.locator('.lumos-proposal')).toContainText('late = 1', { timeout: 30_000 });
  await page.evaluate(() => (window as any).jupyterapp.commands.execute('lumos:accept-proposals'));
  await expect.poll(() => sources(page)).toContain('late = 1');
});

test('a cell that the person changes or deletes meanwhile is theirs to decide about', async ({ page }) => {
  await notebook(page, FOUR);
  const edit = page.locator('.lumos-proposal-edit');
  await expect(edit).toBeVisible(within);
  const write = (id: string, text: string) =>
    page.evaluate(
      ([id, text]) => {
        const { widgets } = (window as any).jupyterapp.shell.currentWidget.content;
        widgets.find((cell: any) => cell.model.id === id).model.sharedModel.setSource(text);
      },
      [id, text],
    );
  await write('load', 'rows = [1, 2, 3]');
  await expect(edit.locator('.lumos-proposal-note')).toHaveText('The cell has changed since this was proposed.');
  await write('load', 'nothing');
  await expect(edit.locator('.lumos-proposal-note')).toContainText('is not in the cell as it is now');
  await expect(edit.getByRole('button', { name: 'Accept', exact: true })).toBeDisabled();
  await page.evaluate(() => {
    const { content } = (window as any).jupyterapp.shell.currentWidget;
    content.activeCellIndex = content.widgets.findIndex((cell: any) => cell.model.id === 'old');
    content.deselectAll();
    return (window as any).jupyterapp.commands.execute('notebook:delete-cell');
  });
  const deleted = page.locator('.lumos-proposals .lumos-proposal-delete');
  await expect(deleted).toContainText('is not in the notebook');
  await page.screenshot({ path: 'ui-tests/results/shots/proposals-changed.png' });
  await page.evaluate(() => (window as any).jupyterapp.commands.execute('lumos:reject-proposals'));
  await expect(page.locator('.lumos-proposal')).toHaveCount(0);
  expect(await sources(page)).toContain('nothing');
});

test('a cell runs while the agent holds the kernel, and what was allowed ahead is marked', async ({ page }) => {
  const steps = `[call(1, "insert_cell", source="import math\\nfound = 41\\nprint(found + 1)", after="top")],
    [call(2, "edit_cell", cell_id="old", source="print('new')", old='print("old")')],
    [call(3, "run_cell", cell_id="plot"), call(4, "run_cell", cell_id="old")]`;
  await notebook(page, `${steps}`, 'writer --approve all');
  await expect(page.locator('.jp-OutputArea').last()).toContainText('Done.', within);
  await expect(page.locator('.lumos-proposal-mark')).toHaveCount(2);
  await expect(page.locator('.jp-OutputArea').nth(-2)).toHaveText('new');
  await expect(page.locator('.jp-OutputArea').nth(-3)).toHaveText('<b>bold</b>');
  await page.screenshot({ path: 'ui-tests/results/shots/proposals-ahead.png' });
  await page
    .locator('.lumos-proposal-mark')
    .filter({ hasText: 'changed this cell' })
    .getByRole('button', { name: 'Undo' })
    .click();
  await expect.poll(() => sources(page)).toContain('print("old")');
});

test('a kernel that is restarted takes its proposals with it, and says so', async ({ page }) => {
  await notebook(page, FOUR);
  await expect(page.locator('.lumos-proposal')).toHaveCount(4, within);
  await page.evaluate(() => (window as any).jupyterapp.shell.currentWidget.sessionContext.restartKernel());
  await expect(page.locator('.lumos-proposals-words')).toHaveText('The kernel is gone, and 4 proposals with it.');
  await expect(page.locator('.lumos-proposal')).toHaveCount(0);
  await page.getByRole('button', { name: 'Dismiss' }).click();
  await expect(page.locator('.lumos-proposals')).toBeHidden();
});
