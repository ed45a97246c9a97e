// What the panel is about: which notebook's kernel it shows, and what waits in all of them.

import type { NotebookPanel } from '@jupyterlab/notebook';
import { type ISignal, Signal } from '@lumino/signaling';

import type { ILinks, Link } from '../kernel';
import type { Approval } from '../protocol';

export interface Waiting {
  panel: NotebookPanel;
  link: Link;
  approval: Approval;
  /** Seconds by which this page's clock is ahead of the kernel's. */
  ahead: number;
}

/** What names a call that waits, also where vendors number calls anew. */
export function keyOf({ approval }: Waiting): string {
  return `${approval.run_id} ${approval.call_id} ${approval.asked_at}`;
}

export class Model {
  private chosen: NotebookPanel | null = null;
  private waitingOf = new Map<Link, Waiting[]>();
  private _changed = new Signal<this, void>(this);
  private _approvalsChanged = new Signal<this, void>(this);
  private _isVisible = false;

  constructor(readonly links: ILinks) {
    links.each((link, panel) => this.meet(link, panel));
    links.changed.connect(() => this._changed.emit());
    links.currentChanged.connect(() => {
      this.chosen = null; // the notebook in front is meant again
      this._changed.emit();
    });
  }

  /** The notebook whose kernel is shown: the chosen one, the one in front, or any that has a link. */
  get panel(): NotebookPanel | null {
    if (this.chosen && this.links.of(this.chosen)) return this.chosen;
    return this.links.panel ?? [...this.links.all.keys()][0] ?? null;
  }

  get link(): Link | null {
    return this.links.of(this.panel);
  }

  /** Shows another notebook's kernel, until another notebook comes to the front. */
  choose(panel: NotebookPanel): void {
    this.chosen = panel;
    this._changed.emit();
  }

  /** Everything that waits for a person, in all kernels, the oldest first. */
  get waiting(): Waiting[] {
    // A kernel that two views or notebooks share says the same to each.
    const each = new Map([...this.waitingOf.values()].flat().map((row) => [keyOf(row), row]));
    return [...each.values()].sort((a, b) => a.approval.asked_at - b.approval.asked_at);
  }

  get isVisible(): boolean {
    return this._isVisible;
  }

  set isVisible(value: boolean) {
    if (value === this._isVisible) return;
    this._isVisible = value;
    this._changed.emit();
  }

  /** Emitted when the kernel that is shown, or whether it is seen, is another. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get approvalsChanged(): ISignal<this, void> {
    return this._approvalsChanged;
  }

  private meet(link: Link, panel: NotebookPanel): void {
    link.told.connect((_, told) => {
      if (told.news === 'changed' && told.with.what.includes('approvals')) void this.look(panel, link);
    });
    link.closed.connect(() => {
      if (this.waitingOf.delete(link)) this._approvalsChanged.emit();
    });
    void this.look(panel, link);
  }

  /** Asks what waits. It is asked also while nobody looks: the number on the panel's tab says it. */
  private async look(panel: NotebookPanel, link: Link): Promise<void> {
    try {
      const { rows, now } = await link.ask('approvals.list', {});
      const ahead = Date.now() / 1000 - now;
      if (!rows.length && !this.waitingOf.has(link)) return;
      if (link.isOpen)
        this.waitingOf.set(
          link,
          rows.map((approval) => ({ panel, link, approval, ahead })),
        );
      this._approvalsChanged.emit();
    } catch {
      // A kernel that does not answer has nothing that could be answered.
    }
  }
}
