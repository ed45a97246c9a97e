// What opens without a kernel: saved notebooks, large runs, runs and tapes as documents.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jupyterlab/galata';

const SHOTS = 'ui-tests/results/shots';
const SAMPLES = join(__dirname, '../../tests/samples');
const runs = JSON.parse(readFileSync(join(SAMPLES, 'lab/runs.json'), 'utf-8'));
const [, , , , , full] = runs.map((run: any) => run.doc);

/** A run of some 50 MB: 500 tool calls with 100 kB each, and a text of 2 MB. */
function largeRun() {
  const tool = full.items.find((item: any) => item.kind === 'tool');
  const items = Array.from({ length: 500 }, (_, i) => ({ ...tool, content: `${i} ${'x'.repeat(100_000)}` }));
  const text = Array.from({ length: 20_000 }, (_, i) => `Paragraph ${i}: ${'word '.repeat(18)}`).join('\n\n');
  return { ...full, items: [...items.slice(0, 50), { kind: 'text', text }, ...items.slice(50)] };
}

const notebook = (data: unknown) => ({
  nbformat: 4,
  nbformat_minor: 5,
  metadata: {},
  cells: [
    {
      cell_type: 'code',
      id: 'a',
      metadata: {},
      source: '%%agent\nGo',
      execution_count: 1,
      outputs: [{ output_type: 'display_data', metadata: {}, data }],
    },
  ],
});

test('a run of 50 MB is shown without holding up the page', async ({ page, tmpPath }) => {
  const file = JSON.stringify(notebook({ 'application/vnd.lumos.run+json': largeRun(), 'text/plain': 'large' }));
  await page.contents.uploadContent(file, 'text', `${tmpPath}/large.ipynb`);
  await page.notebook.openByPath(`${tmpPath}/large.ipynb`);
  await page.locator('.jp-Dialog button', { hasText: 'No Kernel' }).click();
  const run = page.locator('.lumos-run');
  await expect(run.locator('[data-lumos=tool]').nth(40)).toBeAttached({ timeout: 60_000 });
  await page.evaluate(() => {
    (window as any).longest = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries())
        (window as any).longest = Math.max((window as any).longest, duration);
    }).observe({ type: 'longtask' });
  });
  const model = page.locator('.lumos-run');
  const took = await page.evaluate(async () => {
    const { content } = (window as any).jupyterapp.shell.currentWidget;
    const [renderer] = content.widgets[0].outputArea.widgets[0].widgets.slice(-1);
    const data = content.widgets[0].model.outputs.get(0).data;
    const began = performance.now();
    await renderer.renderModel({ data, metadata: {}, trusted: false });
    return performance.now() - began;
  });
  console.log('drawn anew in ms:', took, 'longest task in ms:', await page.evaluate(() => (window as any).longest));
  await expect(model.getByRole('button', { name: 'Show all 2.2 MB' })).toBeAttached();
  await run.locator('[data-lumos=tool] > summary').nth(3).click();
  await expect(run).toContainText('The first 100 kB of');
  await page.screenshot({ path: `${SHOTS}/large.png` });
});

test('runs, traces and tapes open as documents', async ({ page, tmpPath }) => {
  await page.contents.uploadContent(JSON.stringify(full), 'text', `${tmpPath}/one.lumos.json`);
  const tape = readFileSync(join(SAMPLES, 'tapes/v1/openai-chat.tape.jsonl'), 'utf-8');
  await page.contents.uploadContent(tape + '{broken\n', 'text', `${tmpPath}/book.tape.jsonl`);
  await page.filebrowser.open(`${tmpPath}/one.lumos.json`);
  await expect(page.locator('.lumos-document .lumos-run')).toContainText('✓ 2 steps');
  await page.screenshot({ path: `${SHOTS}/document-run.png` });
  await page.filebrowser.open(`${tmpPath}/book.tape.jsonl`);
  const shown = page.locator('.lumos-tape');
  await expect(shown).toContainText('1 line cannot be read');
  await shown.locator('summary').first().click();
  await expect(shown).toContainText('Answer');
  await page.theme.setDarkTheme();
  await page.screenshot({ path: `${SHOTS}/document-tape.png` });
});
