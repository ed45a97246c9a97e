// How the notebooks stand, as their kernels say it: asked anew when something changed.

import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { type IDisposable, DisposableDelegate } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

import { onExecuted } from '../notebooks';
import type { ILinks, Link } from '../kernel';
import type { Status, ThreadRow } from '../protocol';

const N_THREADS = 40;

export class Standing {
  private known = new WeakMap<Link, Status>();
  /** Links that are asked now, and whether something changed meanwhile. */
  private asking = new Map<Link, boolean>();
  private _changed = new Signal<this, void>(this);

  constructor(
    private readonly links: ILinks,
    tracker: INotebookTracker,
  ) {
    links.each((link) => {
      link.told.connect((_, told) => told.news === 'changed' && void this.ask(link));
      void this.ask(link);
    });
    links.changed.connect(() => this._changed.emit());
    links.currentChanged.connect(() => this._changed.emit());
    onExecuted(tracker, (panel) => {
      const link = links.of(panel);
      if (link) void this.ask(link);
    });
  }

  /** What a notebook's kernel said last, or null. */
  of(panel: NotebookPanel | null): Status | null {
    const link = this.links.of(panel);
    return (link && this.known.get(link)) ?? null;
  }

  onChange(listener: () => void): IDisposable {
    this._changed.connect(listener);
    return new DisposableDelegate(() => this._changed.disconnect(listener));
  }

  /** The open threads that a notebook's kernel has, the last used first. */
  async threads(panel: NotebookPanel | null): Promise<ThreadRow[]> {
    const link = this.links.of(panel);
    return link ? (await link.ask('threads.list', { limit: N_THREADS })).rows : [];
  }

  private async ask(link: Link): Promise<void> {
    const isAsking = this.asking.has(link);
    this.asking.set(link, isAsking);
    if (isAsking) return;
    try {
      this.known.set(link, await link.ask('status', {}));
      this._changed.emit();
    } catch {
      // it has gone, or is older: what it said last stands
    }
    const again = this.asking.get(link) && link.isOpen;
    this.asking.delete(link);
    if (again) void this.ask(link);
  }
}
