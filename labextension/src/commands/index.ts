// The room of commands: palette, status bar, and what the menus and shortcuts of the settings call.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, InputDialog } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';

import { openMenu } from '../menu';
import { insertBelow } from '../notebooks';
import { IStanding } from '../cells';
import type { Standing } from '../cells/standing';
import { ILinks } from '../kernel';
import { ISettings } from './settings';
import { StatusLine } from './statusbar';

/** Commands of all rooms, as the palette and the menu of the status bar list them. */
const LISTED = [
  'lumos:dry-run',
  'lumos:new-thread',
  'lumos:switch-thread',
  'lumos:stop-run',
  'lumos:show-trace',
  'lumos:open-chat',
  'lumos:open-panel',
  'lumos:show-threads',
  'lumos:show-runs',
  'lumos:show-agents',
  'lumos:show-approvals',
  'lumos:accept-proposals',
  'lumos:reject-proposals',
  'lumos:next-proposal',
];

export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'lumos-nb:commands',
  description: 'Commands in the palette, and the status bar.',
  autoStart: true,
  requires: [INotebookTracker, ILinks, ISettings, IStanding],
  optional: [ICommandPalette, IStatusBar, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    links: ILinks,
    settings: ISettings,
    standing: Standing,
    palette: ICommandPalette | null,
    statusBar: IStatusBar | null,
    translator: ITranslator | null,
  ) => {
    const trans = (translator ?? nullTranslator).load('lumos_nb');
    addCommands(app, tracker, links, standing, trans);
    if (palette) listAll(app, palette, trans);
    if (statusBar) addStatusLine(app, tracker, settings, standing, statusBar, trans);
  },
};

function listAll(app: JupyterFrontEnd, palette: ICommandPalette, trans: TranslationBundle): void {
  const category = trans.__('Lumos');
  void app.restored.then(() => {
    for (const command of LISTED) if (app.commands.hasCommand(command)) palette.addItem({ command, category });
  });
}

function addCommands(
  app: JupyterFrontEnd,
  tracker: INotebookTracker,
  links: ILinks,
  standing: Standing,
  trans: TranslationBundle,
): void {
  const isEnabled = () => !!links.current;
  app.commands.addCommand('lumos:new-thread', {
    label: trans.__('New thread'),
    caption: trans.__('Begin a thread, and continue in it'),
    isEnabled,
    execute: () => links.current?.ask('threads.new', {}),
  });
  app.commands.addCommand('lumos:switch-thread', {
    label: trans.__('Switch thread…'),
    caption: trans.__('Choose the thread that the next cell continues'),
    isEnabled,
    execute: async () => {
      const [link, rows] = [links.current, await standing.threads(links.panel)];
      if (!link || !rows.length) return;
      const [title, okLabel] = [trans.__('Switch thread'), trans.__('Switch')];
      const items = rows.map((row) => row.title);
      const { button, value } = await InputDialog.getItem({ title, items, okLabel });
      const chosen = rows.find((row) => row.title === value);
      if (button.accept && chosen) await link.ask('threads.use', { thread_id: chosen.thread_id });
    },
  });
  app.commands.addCommand('lumos:show-trace', {
    label: trans.__('Show the trace of the last run'),
    isEnabled,
    execute: () => {
      const [panel, cell] = [tracker.currentWidget, tracker.activeCell];
      if (panel && cell) insertBelow(panel, cell, '%trace', true);
    },
  });
}

function addStatusLine(
  app: JupyterFrontEnd,
  tracker: INotebookTracker,
  settings: ISettings,
  standing: Standing,
  statusBar: IStatusBar,
  trans: TranslationBundle,
): void {
  const line = new StatusLine(trans, (box) => {
    const commands = LISTED.filter((id) => app.commands.hasCommand(id) && app.commands.isEnabled(id));
    const choices = commands.map((id) => ({ label: app.commands.label(id), act: () => app.commands.execute(id) }));
    openMenu(choices, box.left, box.top);
  });
  const isActive = () => settings.get('statusBar') && !!standing.of(tracker.currentWidget);
  const activeStateChanged = new Signal<object, void>(line);
  const refresh = () => {
    line.show_(standing.of(tracker.currentWidget));
    activeStateChanged.emit();
  };
  standing.onChange(refresh);
  settings.changed.connect(refresh);
  refresh();
  statusBar.registerStatusItem('lumos-nb:status', {
    item: line,
    align: 'left',
    rank: 20,
    isActive,
    activeStateChanged,
  });
}
