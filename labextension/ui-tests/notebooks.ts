// Notebooks for the tests: a real kernel with a scripted model.

import type { IJupyterLabPageFixture } from '@jupyterlab/galata';

/** Opens a new notebook whose first cell has loaded lumos_nb, with a model that says what the expression says. */
export async function agentNotebook(page: IJupyterLabPageFixture, model: string, more = ''): Promise<string> {
  const name = await page.notebook.createNew();
  if (!name) throw new Error('The notebook could not be made.');
  await setSource(
    page,
    0,
    [
      '%load_ext lumos_nb',
      'from lumos_nb import Agent, tool, settings',
      'from lumos_nb.messages import ToolCall',
      'from lumos_nb.testing import ScriptedProvider',
      more,
      `agent = Agent("analyst", model=${model})`,
      '%agent use analyst',
    ].join('\n'),
  );
  await page.notebook.runCell(0, true);
  return name;
}

/** Gives a cell its source, whole: what is typed is indented by the editor as it goes. */
export async function setSource(page: IJupyterLabPageFixture, cell: number, source: string): Promise<void> {
  await page.evaluate(
    ([cell, source]) => {
      const notebook = (window as any).jupyterapp.shell.currentWidget.content;
      notebook.widgets[cell].model.sharedModel.setSource(source);
    },
    [cell, source] as const,
  );
}
