// The room of runs: how a saved run and a trace are drawn, and what can be done with them.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { ILinks } from '../kernel';
import { RUN_MIME, TRACE_MIME } from '../protocol';
import { RunDeeds } from './deeds';
import { RenderedRun } from './renderer';
import { RenderedTrace } from './trace';

export const runPlugin: JupyterFrontEndPlugin<void> = {
  id: 'lumos-nb:run',
  description: 'Draws saved runs and traces.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  optional: [INotebookTracker, ILinks, ITranslator],
  activate: (
    _: JupyterFrontEnd,
    rendermime: IRenderMimeRegistry,
    tracker: INotebookTracker | null,
    links: ILinks | null,
    translator: ITranslator | null,
  ) => {
    const trans = (translator ?? nullTranslator).load('lumos_nb');
    const deeds = new RunDeeds(tracker, links);
    rendermime.addFactory({
      safe: true,
      mimeTypes: [RUN_MIME],
      defaultRank: 40, // before HTML, behind a live widget
      createRenderer: () => new RenderedRun(rendermime, trans, deeds),
    });
    rendermime.addFactory({
      safe: true,
      mimeTypes: [TRACE_MIME],
      defaultRank: 40,
      createRenderer: () => new RenderedTrace(rendermime, trans),
    });
  },
};
