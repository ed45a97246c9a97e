// Answers what the kernel asks about the notebook's cells: their text as it stands, and their outputs as text.

import { CodeCell, type Cell } from '@jupyterlab/cells';
import { NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import { cellOf } from '../notebooks';
import type { CellOutline, CellOutputs, CellRan, CellText } from '../protocol';

const OUTPUT_CHARS = 20_000;

export function listed(panel: NotebookPanel): CellOutline[] {
  return panel.content.widgets.map((cell) => {
    const source = cell.model.sharedModel.getSource();
    return {
      ...facts(cell),
      source: source.slice(0, 500),
      n_lines: source ? source.split('\n').length : 0,
      n_outputs: cell instanceof CodeCell ? cell.model.outputs.length : 0,
    };
  });
}

export function readCell(panel: NotebookPanel, id: string, trans: TranslationBundle): CellText {
  const cell = known(panel, id, trans);
  return { ...facts(cell), source: cell.model.sharedModel.getSource(), outputs: outputsOf(cell) };
}

/** Runs a cell as a click does, and waits for its end. */
export async function runAndRead(panel: NotebookPanel, id: string, trans: TranslationBundle): Promise<CellRan> {
  const cell = known(panel, id, trans);
  const isOk = await NotebookActions.runCells(panel.content, [cell], panel.sessionContext);
  return { is_ok: isOk, execution_count: facts(cell).execution_count, outputs: outputsOf(cell) };
}

/** Writes what the kernel ran in the cell's name. */
export function writeOutputs(panel: NotebookPanel, given: CellOutputs, trans: TranslationBundle): void {
  const cell = known(panel, given.cell_id, trans);
  if (!(cell instanceof CodeCell)) return;
  cell.model.executionState = given.is_running ? 'running' : 'idle';
  if (given.is_running) {
    cell.model.outputs.clear();
    return;
  }
  cell.model.trusted = true; // as what a cell puts out is, that a person runs
  cell.model.outputs.fromJSON((given.outputs ?? []) as any);
  cell.model.executionCount = given.execution_count ?? null;
}

function known(panel: NotebookPanel, id: string, trans: TranslationBundle): Cell {
  const cell = cellOf(panel, id);
  if (!cell) throw new Error(trans.__('The cell %1 is not in the notebook.', id));
  return cell;
}

function facts(cell: Cell): Pick<CellText, 'id' | 'type' | 'state' | 'execution_count'> {
  const { id, type } = cell.model;
  if (!(cell instanceof CodeCell)) return { id, type, state: 'idle', execution_count: null };
  return { id, type, state: cell.model.executionState, execution_count: cell.model.executionCount };
}

function outputsOf(cell: Cell): string[] {
  if (!(cell instanceof CodeCell)) return [];
  return cell.model.outputs.toJSON().map((output) => cut(outputText(output)));
}

/** An output as text: what was printed, the error's last line, the text of a display, or its kinds. */
export function outputText(output: any): string {
  const joined = (text: unknown) => (Array.isArray(text) ? text.join('') : String(text));
  if (output.output_type === 'stream') return joined(output.text);
  if (output.output_type === 'error') return `${output.ename}: ${output.evalue}`;
  const data = output.data ?? {};
  const text = data['text/markdown'] ?? data['text/plain'];
  return text === undefined ? `[${Object.keys(data).join(', ')}]` : joined(text);
}

function cut(text: string): string {
  const over = text.length - OUTPUT_CHARS;
  return over > 0 ? `${text.slice(0, OUTPUT_CHARS)}\n… ${over} characters left out …` : text;
}
