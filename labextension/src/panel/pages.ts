// A long list of which only pages are fetched: those that come into view.

import { type ISignal, Signal } from '@lumino/signaling';

export interface Page<Row> {
  rows: Row[];
  n_found: number;
}

export class Pages<Row> {
  private pages = new Map<number, Row[]>();
  private fresh = new Set<number>();
  private version = 0;
  private first = 0;
  private last = 0;
  private _total: number | null = null;
  private _problem: Error | null = null;
  private _changed = new Signal<this, void>(this);

  constructor(
    private readonly fetch: (offset: number, limit: number) => Promise<Page<Row>>,
    readonly size = 50,
  ) {}

  /** How many rows there are; null before that is known. */
  get total(): number | null {
    return this._total;
  }

  /** Why the rows could not be had. */
  get problem(): Error | null {
    return this._problem;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The row at a place, or undefined while it is on its way. */
  row(index: number): Row | undefined {
    return this.pages.get(Math.floor(index / this.size))?.[index % this.size];
  }

  /** Fetches what is missing between two places. */
  want(first: number, last: number): void {
    this.first = first;
    this.last = last;
    for (let n = Math.floor(first / this.size); n <= Math.floor(last / this.size); n++) void this.page(n);
  }

  /** Asks anew for what is in view; what stands there stays until the answer. */
  refresh(): void {
    this.version++;
    this.fresh.clear();
    this.want(this.first, this.last);
  }

  /** Begins again at the top: something else is looked for. */
  restart(): void {
    this.first = this.last = 0;
    this.refresh();
  }

  private async page(n: number): Promise<void> {
    if (this.fresh.has(n)) return;
    this.fresh.add(n);
    const version = this.version;
    try {
      const { rows, n_found } = await this.fetch(n * this.size, this.size);
      if (version !== this.version) return; // a later question is under way
      for (const old of [...this.pages.keys()]) if (!this.fresh.has(old)) this.pages.delete(old);
      this.pages.set(n, rows);
      this._total = n_found;
      this._problem = null;
    } catch (problem) {
      if (version !== this.version) return;
      this.fresh.delete(n);
      this._problem = problem as Error;
    }
    this._changed.emit();
  }
}
