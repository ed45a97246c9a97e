// What of a conversation becomes cells.

import type { NotebookPanel } from '@jupyterlab/notebook';

const PYTHON = new Set(['', 'python', 'py', 'python3', 'ipython']);
const SHELL = new Set(['bash', 'sh', 'shell', 'console']);

/** The code of an answer, one source for each fenced block that this notebook can run. */
export function sources(text: string): string[] {
  const found: string[] = [];
  let fence = '';
  let language = '';
  let lines: string[] = [];
  for (const line of text.split('\n')) {
    const mark = /^ {0,3}(`{3,}|~{3,})\s*([\w+-]*)/.exec(line);
    if (!fence && mark) {
      [fence, language, lines] = [mark[1], mark[2].toLowerCase(), []];
    } else if (fence && mark && mark[1].startsWith(fence) && !mark[2]) {
      if (PYTHON.has(language)) found.push(lines.join('\n'));
      else if (SHELL.has(language)) found.push(`%%bash\n${lines.join('\n')}`);
      fence = '';
    } else if (fence) lines.push(line);
  }
  return found.filter((source) => source.trim());
}

/** All that an agent said in a run. */
export function textOf(run: any): string {
  const items: any[] = Array.isArray(run?.items) ? run.items : [];
  return items
    .filter((item) => item?.kind === 'text' && typeof item.text === 'string')
    .map((item) => item.text)
    .join('\n\n');
}

/** The cell that asks this. */
export function asCell(prompt: string): string {
  return `%%agent\n${prompt}`;
}

/** Inserts code cells below the one in use, as one step that can be undone. */
export function insertCells(panel: NotebookPanel, given: string[]): void {
  const { content } = panel;
  const shared = content.model?.sharedModel;
  if (!shared || !given.length) return;
  const at = content.widgets.length ? content.activeCellIndex + 1 : 0;
  shared.transact(() =>
    shared.insertCells(
      at,
      given.map((source) => ({ cell_type: 'code' as const, source, metadata: {}, outputs: [], execution_count: null })),
    ),
  );
  content.activeCellIndex = at + given.length - 1;
  void content.scrollToItem(content.activeCellIndex, 'smart');
}
