// The room that mends outputs: what was left in the middle of a run ends as the run did.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { ILinks } from '../kernel';
import { LIVE_MIME } from '../protocol';
import { LeftRun } from './left';
import { Mending } from './mending';
import { stopRun } from './stop';

const STOP_RUN = 'lumos:stop-run';

export const mendingPlugin: JupyterFrontEndPlugin<void> = {
  id: 'lumos-nb:mending',
  description: 'Puts the end of a run in the place of a view that was left in the middle of it, and stops runs.',
  autoStart: true,
  requires: [INotebookTracker, ILinks, IRenderMimeRegistry],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    links: ILinks,
    rendermime: IRenderMimeRegistry,
    translator: ITranslator | null,
  ) => {
    const trans = (translator ?? nullTranslator).load('lumos_nb');
    rendermime.addFactory({
      safe: true,
      mimeTypes: [LIVE_MIME],
      defaultRank: 60, // behind the live widget and behind HTML: where nothing else shows it
      createRenderer: () => new LeftRun(trans),
    });
    new Mending(tracker, links, trans);
    app.commands.addCommand(STOP_RUN, {
      label: trans.__('Stop the run of this notebook'),
      caption: trans.__('Stops what an agent does in a cell, also while a tool keeps the kernel busy'),
      describedBy: { args: { type: 'object', properties: {} } },
      isEnabled: () => tracker.currentWidget?.sessionContext.session?.kernel?.status === 'busy' || !!links.current,
      execute: () => stopRun(links, tracker.currentWidget),
    });
  },
};
