// The outputs of a notebook that still show a live view: found by the mark that it leaves in them.

import { type Cell, CodeCell } from '@jupyterlab/cells';
import type { Notebook } from '@jupyterlab/notebook';

import { LIVE_MIME } from '../protocol';

/** An output of a cell that shows a live view. */
export interface LeftView {
  view: string;
  cell: CodeCell;
}

/** The views that a notebook's outputs show, or a cell's. */
export function leftViews(cells: readonly Cell[]): LeftView[] {
  const found: LeftView[] = [];
  for (const cell of cells) {
    if (!(cell instanceof CodeCell)) continue;
    const outputs = cell.model.outputs;
    for (let i = 0; i < outputs.length; i++) {
      const view = viewOf(outputs.get(i).data);
      if (view) found.push({ view, cell });
    }
  }
  return found;
}

/** The view of a bundle that is marked, or the empty text. */
export function viewOf(data: Readonly<Record<string, unknown>>): string {
  const mark = data[LIVE_MIME] as { view?: unknown } | null | undefined;
  return typeof mark === 'object' && typeof mark?.view === 'string' ? mark.view : '';
}

/** Puts a bundle in the place of a view, in one step; the notebook is then to be saved. */
export function replace(notebook: Notebook, view: string, bundle: Record<string, unknown>): number {
  let n = 0;
  for (const { cell } of leftViews(notebook.widgets).filter((left) => left.view === view)) {
    const outputs = cell.model.outputs;
    for (let i = 0; i < outputs.length; i++) {
      if (viewOf(outputs.get(i).data) !== view) continue;
      outputs.set(i, { output_type: 'display_data', data: bundle as any, metadata: {} });
      n++;
    }
  }
  return n;
}
