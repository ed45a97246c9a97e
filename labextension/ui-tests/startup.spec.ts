// What the extension costs Lab at its start: `LUMOS_MEASURE=1 jlpm ui startup.spec.ts` prints it.

import { test } from '@jupyterlab/galata';
import type { Browser } from '@playwright/test';

const LOADS = Number(process.env.LUMOS_MEASURE_LOADS ?? 9);

async function startMs(browser: Browser, url: string, isWith: boolean): Promise<number> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.route('**/lab?*', async (route) => {
    const answer = await route.fetch();
    const html = (await answer.text()).replace(/(<script id="jupyter-config-data"[^>]*>)([^<]*)/, (_, open, text) => {
      const config = JSON.parse(text);
      if (!isWith)
        config.federated_extensions = config.federated_extensions.filter(({ name }: any) => name !== 'lumos-nb');
      return open + JSON.stringify({ ...config, exposeAppInBrowser: true });
    });
    await route.fulfill({ response: answer, body: html });
  });
  await page.goto(`${url}/lab?reset`);
  await page.waitForFunction(() => (window as any).jupyterapp);
  const ms = await page.evaluate(async () => {
    await (window as any).jupyterapp.restored;
    return performance.now();
  });
  await context.close();
  return ms;
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

test('the start of Lab, with and without the extension', async ({ browser, baseURL }) => {
  test.skip(!process.env.LUMOS_MEASURE, 'it measures');
  test.setTimeout(600_000);
  const times: Record<'with' | 'without', number[]> = { with: [], without: [] };
  await startMs(browser, baseURL!, true); // warms the server
  for (let i = 0; i < LOADS; i++) {
    times.without.push(await startMs(browser, baseURL!, false));
    times.with.push(await startMs(browser, baseURL!, true));
  }
  const [w, wo] = [median(times.with), median(times.without)];
  console.log(
    `Lab is there after ${wo.toFixed(0)} ms, with the extension ${w.toFixed(0)} ms: ${(w - wo).toFixed(0)} ms`,
  );
  console.log(`least: ${Math.min(...times.without).toFixed(0)} and ${Math.min(...times.with).toFixed(0)} ms`);
});
