// A run with the extension, as its user sees it.

import { expect, test } from '@jupyterlab/galata';

import { agentNotebook } from './notebooks';

test('a run ends as a transcript drawn by the extension', async ({ page }) => {
  await agentNotebook(page, "ScriptedProvider(['Hello **you**.'])");
  await page.notebook.addCell('code', '%%agent\nGo');
  await page.notebook.runCell(1, true);
  const run = page.locator('.lumos-run');
  await expect(run).toContainText('completed');
});
