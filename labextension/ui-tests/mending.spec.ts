// Notebooks that were left in the middle of a run: they end with the run's saved output all the same.

import { expect, type IJupyterLabPageFixture, test } from '@jupyterlab/galata';

import { agentNotebook, setSource } from './notebooks';

const SHOTS = 'ui-tests/results/shots';

const TOOLS = `
import pathlib, time

@tool(permission="ask")
def pay(amount: int) -> str:
    "Pay."
    return f"paid {amount}"

@tool(side_effect="idempotent")
def slow() -> str:
    "Take as long as there is no file that says so."
    while not pathlib.Path("go").exists():
        time.sleep(0.05)
    return "done"

def answers(messages):
    said = messages[-1]
    if said.role == "tool":
        return "All is paid."
    name = "slow" if "slow" in str(said) else "pay"
    return ToolCall(id="c1", name=name, arguments='{"amount": 5}' if name == "pay" else "{}")
`;

/** A cell's outputs as they are in the notebook's file. */
async function saved(page: IJupyterLabPageFixture, cell: number): Promise<string[]> {
  return page.evaluate(async (cell) => {
    const { context } = (window as any).jupyterapp.shell.currentWidget;
    await context.save();
    const { content } = await (window as any).jupyterapp.serviceManager.contents.get(context.path);
    return content.cells[cell].outputs.flatMap((output: any) => Object.keys(output.data ?? {}));
  }, cell);
}

const start = async (page: IJupyterLabPageFixture, prompt: string, file = '') => {
  const name = await agentNotebook(page, 'ScriptedProvider(answers), tools=[pay, slow]', TOOLS + file);
  await page.notebook.addCell('code', '');
  await setSource(page, 1, `%%agent\n${prompt}`);
  await page.evaluate(() => {
    const app = (window as any).jupyterapp;
    app.shell.currentWidget.content.activeCellIndex = 1;
    void app.commands.execute('notebook:run-cell');
  });
  return name;
};

const reload = async (page: IJupyterLabPageFixture) => {
  await page.notebook.save();
  await page.reload({ waitForIsReady: false });
  await page.waitForFunction(() => (window as any).jupyterapp?.shell?.currentWidget?.context?.isReady);
};

test('after a reload in the middle of a run the notebook ends with its saved output', async ({ page }) => {
  await start(page, 'pay');
  await expect(page.getByRole('button', { name: 'Allow once' })).toBeVisible();
  await reload(page);
  await page.getByRole('button', { name: 'Allow once' }).click();
  await expect(page.locator('.lumos-run')).toContainText('All is paid.');
  expect(await saved(page, 1)).toEqual(['application/vnd.lumos.run+json', 'text/html', 'text/markdown', 'text/plain']);
  await page.screenshot({ path: `${SHOTS}/mended-reload.png` });
});

test('after a restart in the middle of a run its old form is dead, says so, and offers to resume', async ({ page }) => {
  await start(page, 'pay');
  await expect(page.getByRole('button', { name: 'Allow once' })).toBeVisible();
  await page.notebook.save();
  await page.evaluate(() => {
    const { kernel } = (window as any).jupyterapp.shell.currentWidget.sessionContext.session;
    return kernel.restart().catch(() => undefined); // Galata answers in the server's place, with another code
  });
  await expect(page.locator('.lumos')).toContainText('The kernel was restarted or has ended');
  await page.screenshot({ path: `${SHOTS}/restarted.png` });
  await reload(page);
  await expect(page.locator('.lumos-left')).toContainText('It comes back when a cell has run %load_ext lumos_nb');
  await page.screenshot({ path: `${SHOTS}/left.png` });
  await page.notebook.runCell(0, true);
  const run = page.locator('.lumos-run');
  await expect(run).toContainText('It was waiting for an answer. Run %agent resume');
  await run.hover();
  await page.screenshot({ path: `${SHOTS}/mended-restart.png` });
  await run.getByRole('button', { name: 'resume' }).click();
  await page.getByRole('button', { name: 'Allow once' }).click();
  await expect(page.locator('.lumos-run').nth(1)).toContainText('All is paid.');
});

test('a tab that was closed in the middle, and a second one, end with the same output', async ({ page, tmpPath }) => {
  const name = await start(page, 'slow');
  await expect(page.locator('.lumos')).toContainText('running');
  await page.notebook.save();
  const other = await page.context().newPage();
  const url = page.url().replace(/\/lab.*/, `/lab/workspaces/other/tree/${tmpPath}/${name}`);
  await other.goto(url);
  await expect(other.locator('.jp-Notebook')).toBeVisible({ timeout: 30_000 });
  await page.evaluate(() => (window as any).jupyterapp.shell.currentWidget.dispose());
  await page.contents.uploadContent('', 'text', `${tmpPath}/go`);
  await expect(other.locator('.lumos-run')).toContainText('All is paid.', { timeout: 20_000 });
  await other.screenshot({ path: `${SHOTS}/mended-second-tab.png` });
  await other.close();
  await page.notebook.openByPath(`${tmpPath}/${name}`);
  await expect(page.locator('.lumos-run')).toContainText('All is paid.', { timeout: 20_000 });
});
