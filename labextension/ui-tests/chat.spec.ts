// The chat beside a notebook, as its user sees it.

import { expect, type IJupyterLabPageFixture, test } from '@jupyterlab/galata';

import { agentNotebook } from './notebooks';

const SHOTS = 'ui-tests/results/shots';
const MORE = [
  'import asyncio',
  'from lumos_nb.messages import ToolCall',
  '@tool(permission="ask")',
  'async def clear(path: str) -> str:',
  '    """Remove a file."""',
  '    return f"removed {path}"',
  '@tool',
  'async def nap() -> None:',
  '    await asyncio.sleep(60)',
  'price = 42',
  'def answer(messages):',
  '    said = messages[-1].text',
  '    if said == "Clear it": return [ToolCall(id="c1", name="clear", arguments=\'{"path": "may.csv"}\')]',
  '    if said == "Sleep": return [ToolCall(id="n1", name="nap", arguments="{}")]',
  '    if said == "Code": return "Like this:\\n\\n```python\\ntotal = price * 2\\n```\\n\\n**Done.**"',
  '    return f"{len(messages)}: {said} <script>window.hacked = 1</script>"',
].join('\n');

async function openChat(page: IJupyterLabPageFixture) {
  await page.evaluate(() => (window as any).jupyterapp.commands.execute('lumos:open-chat'));
  return page.locator('.lumos-chat');
}

test('a chat and the cells speak on one thread', async ({ page }) => {
  await agentNotebook(page, 'ScriptedProvider(answer), tools=[clear, nap]', MORE);
  const chat = await openChat(page);
  const input = chat.getByRole('textbox');
  const turns = chat.locator('.lumos-turn');
  await expect(chat).toContainText('a new thread');
  await page.screenshot({ path: `${SHOTS}/chat-empty.png` });
  await input.fill('What is {{ price }}?');
  await page.keyboard.press('Enter');
  await expect(turns).toHaveCount(1);
  await expect(turns.nth(0)).toContainText('1: What is 42?');
  await expect(input).toHaveValue('');

  // It asks, in the chat.
  await input.fill('Clear it');
  await page.keyboard.press('Enter');
  await expect(turns.nth(1).getByRole('button', { name: 'Allow once' })).toBeVisible();
  await page.screenshot({ path: `${SHOTS}/chat-asks.png` });
  await turns.nth(1).getByRole('button', { name: 'Allow once' }).click();
  await expect(turns.nth(1)).toContainText('allowed by you ✓');
  await expect(chat.getByRole('button', { name: 'Stop' })).toBeHidden();

  // It is stopped.
  await input.fill('Sleep');
  await page.keyboard.press('Enter');
  await chat.locator('.lumos-input-box').getByRole('button', { name: 'Stop' }).click();
  await expect(turns.nth(2)).toContainText('Stopped');

  // A cell continues the thread, and the chat shows what it said.
  await page.evaluate(() => {
    const { shell } = (window as any).jupyterapp;
    shell.activateById([...shell.widgets('main')].find((widget: any) => widget.context)?.id);
  });
  await page.notebook.addCell('code', '%%agent\nAnd now?');
  await page.notebook.runCell(1, true);
  await expect(page.locator('.jp-Notebook')).toContainText(': And now?');
  await expect(turns).toHaveCount(4);
  await expect(turns.nth(3)).toContainText('Go to its cell');

  // Code becomes cells, and that is undone.
  await input.fill('Code');
  await page.keyboard.press('Enter');
  const before = 2;
  await turns.nth(4).getByRole('button', { name: 'Insert the code as a cell' }).click();
  await expect(page.locator('.jp-Cell.jp-mod-active')).toContainText('total = price * 2');
  expect(await page.notebook.getCellCount()).toBe(before + 1);
  await page.evaluate(() => (window as any).jupyterapp.commands.execute('notebook:undo-cell-action'));
  expect(await page.notebook.getCellCount()).toBe(before);
  expect(await page.evaluate(() => (window as any).hacked)).toBeUndefined();
  await page.screenshot({ path: `${SHOTS}/chat.png` });
  await page.theme.setDarkTheme();
  await page.screenshot({ path: `${SHOTS}/chat-dark.png` });

  // The tab is reloaded in the middle of a run.
  await input.fill('Clear it');
  await page.keyboard.press('Enter');
  await expect(turns.nth(5).getByRole('button', { name: 'Allow once' })).toBeVisible();
  await page.notebook.save();
  await page.reload({ waitForIsReady: false });
  await expect(turns).toHaveCount(6, { timeout: 30_000 });
  await page.screenshot({ path: `${SHOTS}/chat-reloaded.png` });
  await turns.nth(5).getByRole('button', { name: 'Allow once' }).click();
  await expect(turns.nth(5)).toContainText('allowed by you ✓');
});
