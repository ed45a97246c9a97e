import { execSync } from 'node:child_process';

import { defineConfig } from '@playwright/test';

const base = require('@jupyterlab/galata/lib/playwright-config');
const port = process.env.LUMOS_UI_PORT ?? '8899';
const found = (name: string) => execSync(`command -v ${name} || true`, { encoding: 'utf-8' }).trim();
const chromium =
  process.env.LUMOS_CHROMIUM ?? ['chromium', 'chromium-browser', 'google-chrome'].map(found).find((path) => path);

export default defineConfig({
  ...base,
  testDir: '.',
  outputDir: 'results',
  workers: 1,
  retries: 0,
  timeout: 90_000,
  reporter: 'list',
  use: {
    ...base.use,
    baseURL: `http://127.0.0.1:${port}`,
    video: 'off',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: chromium,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  webServer: {
    stderr: 'ignore',
    command: `python -m jupyterlab --config ui-tests/jupyter_server_config.py --port ${port} --ServerApp.port_retries=0`,
    cwd: '..',
    url: `http://127.0.0.1:${port}/lab`,
    timeout: 120_000,
    reuseExistingServer: false,
    env: { ...process.env, LUMOS_VIEW: 'live', CI: '' } as Record<string, string>,
  },
});
