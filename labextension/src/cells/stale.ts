// Says under a cell that its result is stale, and why. Asked for after each cell that ran and each edit.

import type { Cell, CodeCell } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import { element, link } from '../elements';
import { eachNotebook, onExecuted, runCell } from '../notebooks';
import type { ISettings } from '../commands/settings';
import type { ILinks } from '../kernel';
import type { StaleCell } from '../protocol';
import { isAgentCell } from './firstline';

const REST_MS = 500;
const FOOTER = '.jp-Cell-footer';

export class StaleBadges {
  private timers = new Map<NotebookPanel, ReturnType<typeof setTimeout>>();

  constructor(
    tracker: INotebookTracker,
    private readonly links: ILinks,
    private readonly settings: ISettings,
    private readonly trans: TranslationBundle,
  ) {
    eachNotebook(tracker, (panel) => this.watch(panel));
    const all = () => tracker.forEach((panel) => this.soon(panel, 0));
    links.each((link, panel) =>
      link.told.connect((_, told) => {
        if (told.news === 'changed' && told.with.what.includes('runs')) this.soon(panel);
      }),
    );
    links.changed.connect(all);
    settings.changed.connect(all);
    onExecuted(tracker, (panel) => this.soon(panel, 0));
  }

  private watch(panel: NotebookPanel): void {
    panel.content.modelContentChanged.connect(() => this.soon(panel));
    panel.disposed.connect(() => clearTimeout(this.timers.get(panel)));
    this.soon(panel);
  }

  private soon(panel: NotebookPanel, ms = REST_MS): void {
    if (panel.isDisposed) return;
    clearTimeout(this.timers.get(panel));
    this.timers.set(
      panel,
      setTimeout(() => void this.update(panel), ms),
    );
  }

  private async update(panel: NotebookPanel): Promise<void> {
    const link = this.links.of(panel);
    const cells = panel.isDisposed ? [] : panel.content.widgets.filter(mayBeStale);
    let stale: StaleCell[] = [];
    if (link && cells.length && this.settings.get('staleBadges')) {
      const shown = Object.fromEntries(cells.map(({ model }) => [model.id, model.sharedModel.getSource()]));
      try {
        stale = (await link.ask('cells.stale', { cells: shown })).cells;
      } catch {
        return; // an older kernel, or one that has gone: what is shown stays
      }
    }
    if (panel.isDisposed) return;
    const reasons = new Map(stale.map((cell) => [cell.cell_id, cell]));
    for (const cell of panel.content.widgets) {
      if (cell.model.type === 'code') this.show(panel, cell, reasons.get(cell.model.id));
    }
  }

  private show(panel: NotebookPanel, cell: Cell, stale?: StaleCell): void {
    const footer = cell.node.querySelector(FOOTER);
    const before = footer?.querySelector('.lumos-stale');
    const text = stale && this.reason(stale);
    if (!footer || (before as HTMLElement | null)?.dataset.reason === text) return;
    before?.remove();
    if (text) footer.append(this.badge(panel, cell, text));
  }

  private badge(panel: NotebookPanel, cell: Cell, text: string): HTMLElement {
    const again = link(this.trans.__('Run again'), () => runCell(panel, cell));
    const badge = element('div', 'lumos-stale', element('span', '', text), again);
    badge.dataset.reason = text;
    badge.setAttribute('role', 'status');
    return badge;
  }

  private reason({ reason, names }: StaleCell): string {
    switch (reason) {
      case 'cell changed':
        return this.trans.__('Stale: the cell was changed since it ran.');
      case 'input changed':
        return this.trans.__('Stale: %1 was written again since.', names);
      default:
        return this.trans.__('Stale: %1 was defined anew since.', names);
    }
  }
}

function mayBeStale(cell: Cell): boolean {
  if (cell.model.type !== 'code' || !isAgentCell(cell.model.sharedModel.getSource())) return false;
  return (cell as CodeCell).model.outputs.length > 0;
}
