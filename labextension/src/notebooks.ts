// What several rooms do in a notebook: find it, find a cell, go to it, run it, put one below it.

import type { Cell } from '@jupyterlab/cells';
import { type INotebookTracker, NotebookActions, type Notebook, type NotebookPanel } from '@jupyterlab/notebook';

/** Calls for each notebook: those that are open, and those to come. */
export function eachNotebook(tracker: INotebookTracker, act: (panel: NotebookPanel) => void): void {
  tracker.widgetAdded.connect((_, panel) => act(panel));
  tracker.forEach(act);
}

/** Calls whenever cells of a notebook were run. */
export function onExecuted(tracker: INotebookTracker, act: (panel: NotebookPanel) => void): void {
  NotebookActions.executed.connect((_, { notebook }) => {
    const panel = panelOf(tracker, notebook);
    if (panel) act(panel);
  });
}

function panelOf(tracker: INotebookTracker, notebook: Notebook): NotebookPanel | undefined {
  return tracker.find((panel) => panel.content === notebook);
}

/** The cell of that id, or undefined. */
export function cellOf(panel: NotebookPanel, id: string): Cell | undefined {
  return panel.content.widgets.find((cell) => cell.model.id === id);
}

/** Brings a cell of a notebook into view; returns whether it is there. */
export function goToCell(panel: NotebookPanel, id: string): boolean {
  const cell = cellOf(panel, id);
  if (!cell) return false;
  use(panel, cell);
  const isDrawn = panel.content.activeCell?.node.isConnected;
  // 'smart' finds no cell that is not drawn yet.
  void panel.content.scrollToItem(panel.content.activeCellIndex, isDrawn ? 'smart' : 'center');
  return true;
}

/** Runs one cell, as a click does. */
export function runCell(panel: NotebookPanel, cell: Cell): Promise<boolean> {
  use(panel, cell);
  panel.content.deselectAll();
  return NotebookActions.run(panel.content, panel.sessionContext);
}

/** Puts a cell below another one, and runs it or leaves it to be written. */
export function insertBelow(panel: NotebookPanel, cell: Cell, source: string, runs: boolean): void {
  const notebook = panel.content;
  use(panel, cell);
  NotebookActions.insertBelow(notebook);
  notebook.activeCell?.model.sharedModel.setSource(source);
  if (runs) return void NotebookActions.run(notebook, panel.sessionContext);
  notebook.mode = 'edit';
  const editor = notebook.activeCell?.editor;
  editor?.setCursorPosition({ line: editor.lineCount - 1, column: 0 });
}

function use(panel: NotebookPanel, cell: Cell): void {
  panel.content.activeCellIndex = panel.content.widgets.indexOf(cell);
}
