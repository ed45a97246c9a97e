// Changes to the notebook, each in one step that one Undo takes back.

import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import { cellOf } from '../notebooks';
import type { CellChange } from '../protocol';
import { newText } from './place';

/** Takes a change back, as a person asks for who has not been asked before. */
export type Undo = () => void;

/** Does it, or throws what is in the way. Returns what takes it back, where Undo is not enough. */
export function change(panel: NotebookPanel, wanted: CellChange, trans: TranslationBundle): Undo {
  const { sharedModel } = panel.content.model!;
  if (panel.context.model.readOnly) throw new Error(trans.__('The notebook cannot be changed.'));
  const stop = (manager: any) => manager?.stopCapturing(); // what came before is another step
  stop((sharedModel as any).undoManager);
  if (wanted.kind === 'insert') {
    const index = placeOf(panel, wanted.after ?? '', trans);
    const { type: cell_type = 'code', source = '', cell_id: id } = wanted;
    const metadata = cell_type === 'code' ? { trusted: true } : {};
    sharedModel.transact(() => sharedModel.insertCell(index, { cell_type, source, id, metadata } as any));
    stop((sharedModel as any).undoManager);
    return () => remove(panel, id);
  }
  const cell = cellOf(panel, wanted.cell_id);
  if (!cell) throw new Error(trans.__('The cell %1 is not in the notebook.', wanted.cell_id));
  const shared = cell.model.sharedModel;
  const before = shared.getSource();
  if (typeof wanted.base === 'string' && wanted.base !== before)
    throw new Error(trans.__('The cell has changed since it was read.'));
  if (wanted.kind === 'delete') {
    if (cell.model.getMetadata('deletable') === false)
      throw new Error(trans.__('The cell is marked as not deletable.'));
    const index = panel.content.widgets.indexOf(cell);
    const saved: any = shared.toJSON();
    remove(panel, wanted.cell_id);
    return () => sharedModel.transact(() => sharedModel.insertCell(index, saved));
  }
  if (cell.model.getMetadata('editable') === false) throw new Error(trans.__('The cell is marked as not editable.'));
  stop((shared as any).undoManager);
  write(shared, newText(before, wanted, trans));
  stop((shared as any).undoManager);
  return () => write(shared, before);
}

/** Replaces what differs, so that cursors elsewhere stay. */
function write(shared: any, text: string): void {
  const before: string = shared.getSource();
  let [head, tail] = [0, 0];
  const most = Math.min(before.length, text.length);
  while (head < most && before[head] === text[head]) head++;
  while (tail < most - head && before[before.length - 1 - tail] === text[text.length - 1 - tail]) tail++;
  shared.transact(() => shared.updateSource(head, before.length - tail, text.slice(head, text.length - tail)));
}

function remove(panel: NotebookPanel, id: string): void {
  const cell = cellOf(panel, id);
  if (!cell) return;
  const { sharedModel } = panel.content.model!;
  sharedModel.transact(() => {
    sharedModel.deleteCell(panel.content.widgets.indexOf(cell));
    if (!sharedModel.cells.length) sharedModel.insertCell(0, { cell_type: 'code', source: '' } as any);
  });
}

function placeOf(panel: NotebookPanel, after: string, trans: TranslationBundle): number {
  const { widgets } = panel.content;
  if (after === 'top') return 0;
  if (!after) return widgets.length;
  const index = widgets.findIndex((cell) => cell.model.id === after);
  if (index < 0) throw new Error(trans.__('The cell %1 is not in the notebook.', after));
  return index + 1;
}
