// Shows what a cell would send and what that may cost: the kernel runs it with `--dry-run`, in a dialog.

import { Dialog } from '@jupyterlab/apputils';
import type { CodeCell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { OutputAreaModel, SimplifiedOutputArea } from '@jupyterlab/outputarea';
import type { TranslationBundle } from '@jupyterlab/translation';

import { changed } from './firstline';

/** Returns whether the person then wants to run the cell. */
export async function dryRun(panel: NotebookPanel, cell: CodeCell, trans: TranslationBundle): Promise<boolean> {
  const kernel = panel.sessionContext.session?.kernel;
  const source = cell.model.sharedModel.getSource();
  const change = changed(source, { '--dry-run': true, '--background': null });
  if (!kernel || !change) return false;
  const code = source.slice(0, change.from) + change.insert + source.slice(change.to);
  const model = new OutputAreaModel({ trusted: false });
  const area = new SimplifiedOutputArea({ model, rendermime: panel.content.rendermime });
  area.addClass('lumos-dry-run');
  area.future = kernel.requestExecute({ code, store_history: false, allow_stdin: false });
  const run = Dialog.okButton({ label: trans.__('Run'), accept: true });
  const dialog = new Dialog({
    title: trans.__('Dry run'),
    body: area,
    buttons: [Dialog.cancelButton({ label: trans.__('Close') }), run],
    defaultButton: 0,
  });
  const { button } = await dialog.launch();
  model.dispose();
  return button.accept;
}
