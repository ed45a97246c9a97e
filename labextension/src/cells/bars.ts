// Puts a bar above each code cell that is one of an agent, as soon as it is one.

import type { Cell } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { PanelLayout } from '@lumino/widgets';

import { eachNotebook } from '../notebooks';
import type { ISettings } from '../commands/settings';
import { type Acts, AgentBar, type Surroundings } from './bar';
import { isAgentCell } from './firstline';
import type { Standing } from './standing';

export class Bars {
  private seen = new WeakSet<Cell>();

  constructor(
    tracker: INotebookTracker,
    private readonly standing: Standing,
    private readonly acts: Acts,
    private readonly settings: ISettings,
    private readonly trans: TranslationBundle,
  ) {
    eachNotebook(tracker, (panel) => this.watch(panel));
  }

  private watch(panel: NotebookPanel): void {
    const look = () => panel.content.widgets.forEach((cell) => this.meet(panel, cell));
    const follow = () => {
      panel.content.model?.cells.changed.connect(look);
      look();
    };
    panel.content.modelChanged.connect(follow);
    follow();
  }

  /** Gives a cell its bar now, or when its person has made it an agent's. */
  private meet(panel: NotebookPanel, cell: Cell): void {
    if (this.seen.has(cell) || cell.model.type !== 'code') return;
    this.seen.add(cell);
    const look = () => {
      if (!isAgentCell(cell.model.sharedModel.getSource())) return;
      cell.model.contentChanged.disconnect(look);
      void cell.ready.then(() => {
        if (cell.isDisposed) return;
        const bar = new AgentBar(cell, this.around(panel), this.acts, this.settings, this.trans);
        (cell.layout as PanelLayout).insertWidget(1, bar);
      });
    };
    cell.model.contentChanged.connect(look);
    look();
  }

  private around(panel: NotebookPanel): Surroundings {
    const { standing } = this;
    return {
      get status() {
        return standing.of(panel);
      },
      threads: async () => (await standing.threads(panel)).map(({ title }) => title),
      onChange: (listener) => standing.onChange(listener),
    };
  }
}
