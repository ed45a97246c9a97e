// The room of runs: how a saved run is drawn.

import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';

import { RUN_MIME } from '../protocol';
import { RenderedRun } from './renderer';

export const runPlugin: JupyterFrontEndPlugin<void> = {
  id: 'lumos-nb:run',
  description: 'Draws saved runs.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  activate: (_, rendermime: IRenderMimeRegistry) => {
    rendermime.addFactory({
      safe: true,
      mimeTypes: [RUN_MIME],
      defaultRank: 40, // before HTML, behind a live widget
      createRenderer: (options) => new RenderedRun(options),
    });
  },
};
