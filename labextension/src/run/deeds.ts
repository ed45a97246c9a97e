// What can be done with a run in a notebook: again, fork, trace, resume. Each only where it can be done.

import { CodeCell } from '@jupyterlab/cells';
import { NotebookActions, type INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { type ISignal, Signal } from '@lumino/signaling';

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
    const again = () => {
      panel.content.activeCellIndex = panel.content.widgets.indexOf(cell);
      return NotebookActions.run(panel.content, panel.sessionContext);
    };
    if (!link || !doc.run_id) return { again };
    return {
      again,
      trace: () => insertBelow(panel, cell, `%trace ${doc.run_id}`, true),
      resume: () => insertBelow(panel, cell, `%agent resume ${doc.run_id}`, true),
      fork: doc.thread_id
        ? async () => {
            const { title } = await link.ask('outputs.fork', { run_id: doc.run_id });
            insertBelow(panel, cell, `%%agent -t ${quoted(title)}\n`, false);
          }
        : undefined,
    };
  }
}

const quoted = (title: string) => (/^[\w.-]+$/.test(title) ? title : `'${title.replaceAll("'", '')}'`);

/** Puts a cell below another one, and runs it or leaves it to be written. */
export function insertBelow(panel: NotebookPanel, cell: CodeCell, source: string, runs: boolean): void {
  const notebook = panel.content;
  notebook.activeCellIndex = notebook.widgets.indexOf(cell);
  NotebookActions.insertBelow(notebook);
  notebook.activeCell?.model.sharedModel.setSource(source);
  if (runs) return void NotebookActions.run(notebook, panel.sessionContext);
  notebook.mode = 'edit';
  const editor = notebook.activeCell?.editor;
  editor?.setCursorPosition({ line: editor.lineCount - 1, column: 0 });
}
