// The room of the links to kernels, offered to every other room as `ILinks`.

import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { ILinks, Links } from './links';

export { ILinks } from './links';
export { Link } from './link';
export { LumosProblem, problemText } from './problem';

export const kernelPlugin: JupyterFrontEndPlugin<ILinks> = {
  id: 'lumos-nb:kernel',
  description: 'Links to the kernels that have loaded lumos_nb.',
  autoStart: true,
  provides: ILinks,
  requires: [INotebookTracker],
  optional: [ITranslator],
  activate: (_, tracker: INotebookTracker, translator: ITranslator | null) =>
    new Links(tracker, (translator ?? nullTranslator).load('lumos_nb')),
};
