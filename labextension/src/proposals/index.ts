// The room of proposals: agents work on cells, and a person sees each change in its place before it is made.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';

import { ILinks } from '../kernel';
import { Board } from './board';
import { listed, readCell, runAndRead, writeOutputs } from './cells';
import { change } from './change';
import { markChange } from './mark';

export const proposalsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'lumos-nb:proposals',
  description: 'Shows what agents propose to do to cells, in its place.',
  autoStart: true,
  requires: [INotebookTracker, ILinks],
  optional: [ITranslator],
  activate: (app, tracker: INotebookTracker, links: ILinks, translator: ITranslator | null) => {
    const trans = (translator ?? nullTranslator).load('lumos_nb');
    answer(links, trans);
    const boards = new Map<NotebookPanel, Board>();
    const isInFront = (panel: NotebookPanel) => tracker.currentWidget === panel && panel.isVisible && !document.hidden;
    const tell = () => app.commands.notifyCommandChanged();
    const follow = () => {
      for (const panel of links.all.keys())
        if (!boards.has(panel)) {
          boards.set(panel, new Board(panel, () => isInFront(panel), trans, tell));
          panel.disposed.connect(() => boards.delete(panel));
        }
      for (const [panel, board] of boards) board.use(links.of(panel));
    };
    links.changed.connect(follow);
    follow();
    addCommands(app, () => boards.get(tracker.currentWidget!) ?? null, trans);
  },
};

function answer(links: ILinks, trans: TranslationBundle): void {
  links.answer('cells.list', (_, panel) => listed(panel));
  links.answer('cells.read', ({ cell_id }, panel) => readCell(panel, cell_id, trans));
  links.answer('cells.run', ({ cell_id }, panel) => runAndRead(panel, cell_id, trans));
  links.answer('cells.outputs', (given, panel) => (writeOutputs(panel, given, trans), {}));
  links.answer('cells.change', (wanted, panel) => {
    const at = panel.content.widgets.findIndex((cell) => cell.model.id === wanted.cell_id);
    const undo = change(panel, wanted, trans);
    if (wanted.is_marked) requestAnimationFrame(() => markChange(panel, wanted, at, undo, trans));
    return {};
  });
}

function addCommands(app: JupyterFrontEnd, board: () => Board | null, trans: TranslationBundle): void {
  const commands: [string, string, (board: Board) => unknown][] = [
    ['lumos:accept-proposals', trans.__('Accept all proposed changes'), (board) => board.decideAll(true)],
    ['lumos:reject-proposals', trans.__('Reject all proposed changes'), (board) => board.decideAll(false)],
    ['lumos:next-proposal', trans.__('Go to the next proposed change'), (board) => board.go(1)],
  ];
  for (const [command, label, execute] of commands) {
    app.commands.addCommand(command, {
      label,
      isEnabled: () => (board()?.count ?? 0) > 0,
      execute: () => execute(board()!),
      describedBy: { args: { type: 'object', properties: {} } },
    });
  }
}
