// A run of the list in a tab of its own, where the notebook has no cell of it.

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget } from '@jupyterlab/apputils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { Panel } from '@lumino/widgets';

import type { Link } from '../kernel';
import { RUN_MIME } from '../protocol';

const DRAWN = [RUN_MIME, 'text/html', 'text/markdown'];

/** Opens a recorded run beside its notebook. Rejects with what the kernel could not do. */
export async function openRecorded(
  app: JupyterFrontEnd,
  panel: NotebookPanel,
  link: Link,
  runId: string,
  title: string,
): Promise<void> {
  const id = `lumos-run-${runId}`;
  if (![...app.shell.widgets('main')].some((widget) => widget.id === id)) {
    const { bundle } = await link.ask('runs.show', { run_id: runId });
    const { rendermime } = panel.content;
    const data = bundle as any;
    const mime = DRAWN.find((type) => type in data && rendermime.mimeTypes.includes(type))!;
    const renderer = rendermime.createRenderer(mime);
    await renderer.renderModel(rendermime.createModel({ data, trusted: false }));
    const content = new Panel();
    content.addClass('lumos-recorded');
    content.addWidget(renderer);
    const widget = new MainAreaWidget({ content });
    widget.toolbar.hide();
    widget.id = id;
    widget.title.label = title;
    widget.title.closable = true;
    app.shell.add(widget, 'main', { ref: panel.id, mode: 'tab-after' });
  }
  app.shell.activateById(id);
}
