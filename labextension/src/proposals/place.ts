// What a proposal means for the notebook as it stands: its cell, its text, and whether it can be done.

import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import { cellOf } from '../notebooks';
import type { CellChange, Proposal } from '../protocol';

/** The cell at which a proposal is shown: its own, or the one that a new one comes after. */
export function anchorOf(panel: NotebookPanel, proposal: Proposal): Cell | undefined {
  const { widgets } = panel.content;
  if (proposal.kind !== 'insert') return cellOf(panel, proposal.cell_id);
  if (proposal.cell_id === 'top') return widgets[0];
  return proposal.cell_id ? cellOf(panel, proposal.cell_id) : widgets.at(-1);
}

/** The text that the cell is to have. Throws where that cannot be said. */
export function newText(source: string, change: Pick<CellChange, 'old' | 'source'>, trans: TranslationBundle): string {
  const { old = null, source: text = '' } = change;
  if (old === null) return text;
  const parts = source.split(old);
  if (parts.length === 2) return parts.join(text);
  const times = parts.length - 1;
  throw new Error(
    times
      ? trans.__('The text to replace is there %1 times: name more of it.', times)
      : trans.__('The text to replace is not in the cell as it is now.'),
  );
}

/** Why a proposal cannot be done to the notebook as it is; empty if it can. */
export function problemOf(panel: NotebookPanel, proposal: Proposal, trans: TranslationBundle): string {
  const cell = anchorOf(panel, proposal);
  if (panel.context.model.readOnly) return trans.__('The notebook cannot be changed.');
  if (!cell) {
    return proposal.kind === 'insert' && !panel.content.widgets.length
      ? ''
      : trans.__('The cell %1 is not in the notebook.', proposal.cell_id);
  }
  if (proposal.kind === 'edit') {
    if (cell.model.getMetadata('editable') === false) return trans.__('The cell is marked as not editable.');
    try {
      newText(cell.model.sharedModel.getSource(), proposal, trans);
    } catch (error) {
      return (error as Error).message;
    }
  }
  if (proposal.kind === 'delete' && cell.model.getMetadata('deletable') === false)
    return trans.__('The cell is marked as not deletable.');
  if (proposal.kind === 'run' && cell.model.type !== 'code') return trans.__('Only code cells can be run.');
  return '';
}
