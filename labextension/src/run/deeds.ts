// What can be done with a run in a notebook: again, fork, trace, resume. Each only where it can be done.

import { CodeCell } from '@jupyterlab/cells';
import type { INotebookTracker } from '@jupyterlab/notebook';
import { type ISignal, Signal } from '@lumino/signaling';

import { insertBelow, runCell } from '../notebooks';
import { cellOn } from '../cells/firstline';
import type { ILinks } from '../kernel';
import type { RunDocument } from './document';
import type { Deeds } from './foot';
import type { IRunDeeds } from './renderer';

export class RunDeeds implements IRunDeeds {
  private readonly _changed = new Signal<this, void>(this);

  constructor(
    private readonly tracker: INotebookTracker | null,
    private readonly links: ILinks | null,
  ) {
    links?.changed.connect(() => this._changed.emit());
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  of(node: HTMLElement, doc: RunDocument): Deeds {
    const panel = this.tracker?.find((one) => one.content.node.contains(node)) ?? null;
    const cell = panel?.content.widgets.find((one) => one.node.contains(node));
    if (!panel || !(cell instanceof CodeCell) || !panel.sessionContext.session?.kernel) return {};
    const link = this.links?.of(panel);
    const again = () => runCell(panel, cell);
    if (!link || !doc.run_id) return { again };
    return {
      again,
      trace: () => insertBelow(panel, cell, `%trace ${doc.run_id}`, true),
      resume: () => insertBelow(panel, cell, `%agent resume ${doc.run_id}`, true),
      fork: doc.thread_id
        ? async () => {
            const { title } = await link.ask('threads.fork', { thread_id: doc.thread_id, run_id: doc.run_id });
            insertBelow(panel, cell, cellOn(title), false);
          }
        : undefined,
    };
  }
}
