// A file that holds a run, runs, a trace, a thread or a tape, drawn; anew when the file changes.

import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { PanelLayout, Widget } from '@lumino/widgets';

export class DocumentView extends Widget {
  private n = 0; // of the drawing: a later one ends an earlier one

  constructor(
    private readonly registry: IRenderMimeRegistry,
    private readonly trans: TranslationBundle,
    private readonly context: DocumentRegistry.Context,
  ) {
    super();
    this.addClass('lumos-document');
    this.node.tabIndex = -1;
    this.layout = new PanelLayout();
    void context.ready.then(() => {
      if (this.isDisposed) return;
      void this.draw();
      context.model.contentChanged.connect(() => void this.draw());
    });
  }

  private async draw(): Promise<void> {
    const n = ++this.n;
    const { drawn } = await import('./draw');
    if (n !== this.n || this.isDisposed) return;
    const top = this.node.scrollTop;
    const layout = this.layout as PanelLayout;
    for (const before of [...layout.widgets]) before.dispose();
    const isTape = this.context.path.endsWith('.tape.jsonl');
    for (const widget of drawn(this.registry, this.trans, this.context.model.toString(), isTape))
      layout.addWidget(widget);
    this.node.scrollTop = top;
  }
}
