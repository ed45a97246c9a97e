// A line at a cell that an agent changed without asking, as it was allowed ahead: it says so, and takes it back.

import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { type PanelLayout, Widget } from '@lumino/widgets';

import { button, element } from '../elements';
import { cellOf } from '../notebooks';
import type { CellChange } from '../protocol';
import type { Undo } from './change';

export function markChange(
  panel: NotebookPanel,
  wanted: CellChange,
  at: number,
  undo: Undo,
  trans: TranslationBundle,
): void {
  const cell: Cell | undefined = cellOf(panel, wanted.cell_id) ?? panel.content.widgets[Math.max(0, at - 1)];
  if (!cell) return;
  const words = {
    insert: trans.__('%1 inserted this cell, as allowed ahead.', wanted.agent),
    edit: trans.__('%1 changed this cell, as allowed ahead.', wanted.agent),
    delete: trans.__('%1 deleted a cell here, as allowed ahead.', wanted.agent),
    run: '',
  };
  const mark = new Widget({ node: element('div', 'lumos-proposal-mark') });
  const ending = (text: string, act: () => void) =>
    button(text, () => {
      mark.dispose();
      act();
    });
  mark.node.dataset.lmSuppressShortcuts = 'true';
  mark.node.append(
    element('span', '', words[wanted.kind]),
    ending(trans.__('Undo'), undo),
    ending(trans.__('Keep'), () => undefined),
  );
  void cell.ready.then(() => {
    const layout = cell.layout as PanelLayout;
    layout.insertWidget(wanted.kind === 'edit' ? 0 : layout.widgets.length, mark);
  });
}
