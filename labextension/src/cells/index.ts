// The room of cells: how an agent's cell is written, run and kept fresh.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import type { Cell, CodeCell } from '@jupyterlab/cells';
import { IEditorExtensionRegistry, IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { ICompletionProviderManager } from '@jupyterlab/completer';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Token } from '@lumino/coreutils';

import { runCell } from '../notebooks';
import { ISettings } from '../commands/settings';
import { ILinks } from '../kernel';
import { Bars } from './bars';
import { AgentCompletion } from './completion';
import { isAgentCell } from './firstline';
import { CellLanguage } from './highlight';
import { hints } from './hints';
import { StaleBadges } from './stale';
import { Standing } from './standing';

export const IStanding = new Token<Standing>('lumos-nb:IStanding', 'How notebooks stand, as their kernels say it.');

export const standingPlugin: JupyterFrontEndPlugin<Standing> = {
  id: 'lumos-nb:standing',
  description: 'Knows how notebooks stand: agent, model, thread, cost.',
  autoStart: true,
  provides: IStanding,
  requires: [ILinks, INotebookTracker],
  activate: (_, links: ILinks, tracker: INotebookTracker) => new Standing(links, tracker),
};

export const writingPlugin: JupyterFrontEndPlugin<void> = {
  id: 'lumos-nb:writing',
  description: 'Highlights the cells of agents, completes them, and says what options take.',
  autoStart: true,
  requires: [IEditorExtensionRegistry, IEditorLanguageRegistry, ILinks, ISettings],
  optional: [ICompletionProviderManager, ITranslator],
  activate: (
    _,
    extensions: IEditorExtensionRegistry,
    languages: IEditorLanguageRegistry,
    links: ILinks,
    settings: ISettings,
    completion: ICompletionProviderManager | null,
    translator: ITranslator | null,
  ) => {
    const trans = (translator ?? nullTranslator).load('lumos_nb');
    const language = new CellLanguage(
      languages,
      hints(trans, () => settings.get('hints')),
    );
    language.register(extensions);
    settings.changed.connect(() => (language.enabled = settings.get('highlight')));
    completion?.registerProvider(new AgentCompletion(links));
  },
};

export const cellsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'lumos-nb:cells',
  description: 'The bar of the cells of agents, and badges where their results are stale.',
  autoStart: true,
  requires: [INotebookTracker, ILinks, ISettings, IStanding],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    links: ILinks,
    settings: ISettings,
    standing: Standing,
    translator: ITranslator | null,
  ) => {
    const trans = (translator ?? nullTranslator).load('lumos_nb');
    new StaleBadges(tracker, links, settings, trans);
    const panelOf = (cell: Cell) => tracker.find((panel) => panel.content.widgets.includes(cell)) ?? null;
    const run = async (cell: Cell) => {
      const panel = panelOf(cell);
      if (panel) await runCell(panel, cell);
    };
    const dryRun = async (cell: Cell) => {
      const panel = panelOf(cell);
      const { dryRun } = await import('./dryrun');
      if (panel && (await dryRun(panel, cell as CodeCell, trans))) await run(cell);
    };
    new Bars(tracker, standing, { run, dryRun }, settings, trans);
    app.commands.addCommand('lumos:dry-run', {
      label: trans.__('Dry run of the agent’s cell'),
      caption: trans.__('Show what this cell would send and what it may cost'),
      isEnabled: () => !!tracker.activeCell && isOfAgent(tracker.activeCell),
      execute: () => (tracker.activeCell && isOfAgent(tracker.activeCell) ? dryRun(tracker.activeCell) : undefined),
    });
  },
};

function isOfAgent(cell: Cell): boolean {
  return cell.model.type === 'code' && isAgentCell(cell.model.sharedModel.getSource());
}
