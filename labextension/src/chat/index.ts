// The room of the chat: opens one beside a notebook, and again after a reload.

import { ILabShell, ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { ILinks } from '../kernel';
import { lumosIcon } from '../panel';
import { Chat } from './chat';

interface Opened {
  widget: MainAreaWidget<Chat>;
  path: () => string;
  threadId: string;
}

export const chatPlugin: JupyterFrontEndPlugin<void> = {
  id: 'lumos-nb:chat',
  description: 'Talks to the notebook’s agent beside the notebook, on the thread of its cells.',
  autoStart: true,
  requires: [ILinks, INotebookTracker],
  optional: [ITranslator, ILayoutRestorer, ILabShell],
  activate: (
    app: JupyterFrontEnd,
    links: ILinks,
    notebooks: INotebookTracker,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    labShell: ILabShell | null,
  ) => {
    const trans = (translator ?? nullTranslator).load('lumos_nb');
    const tracker = new WidgetTracker<MainAreaWidget<Chat>>({ namespace: 'lumos-chat' });
    const opened: Opened[] = [];

    const open = (path: string, threadId: string) => {
      const before = opened.find((one) => one.path() === path && one.threadId === threadId);
      const widget = before?.widget ?? make(path, threadId);
      app.shell.activateById(widget.id);
      return widget;
    };

    const make = (path: string, threadId: string) => {
      let notebook: NotebookPanel | null = null;
      const find = () => (notebook ??= notebooks.find((panel) => panel.context.path === path) ?? null);
      const showNotebook = () => find() && app.shell.activateById(find()!.id);
      const chat = new Chat(links, { find, threadId, showNotebook: () => void showNotebook() }, trans);
      const widget = new MainAreaWidget({ content: chat });
      const pathNow = () => find()?.context.path ?? path;
      widget.toolbar.hide();
      widget.id = `lumos-chat-${path}-${threadId}`;
      widget.title.icon = lumosIcon;
      widget.title.closable = true;
      widget.title.label = trans.__('Chat: %1', PathExt.basename(path));
      widget.title.caption = trans.__('Chat with the agent of %1', path);
      const one = { widget, path: pathNow, threadId };
      opened.push(one);
      widget.disposed.connect(() => opened.splice(opened.indexOf(one), 1));
      if (labShell) app.shell.add(widget, 'main', { mode: 'split-right', ref: find()?.id, type: 'Lumos' });
      else app.shell.add(widget, 'right', { rank: 500 });
      void tracker.add(widget);
      return widget;
    };

    app.commands.addCommand('lumos:open-chat', {
      label: trans.__('Open chat'),
      caption: trans.__('Talk to the notebook’s agent beside the notebook'),
      icon: lumosIcon,
      isEnabled: (args) => !!args.path || !!notebooks.currentWidget,
      execute: (args) => {
        const named = notebooks.find((panel) => panel.id === args.notebook) ?? notebooks.currentWidget;
        const path = String(args.path ?? named?.context.path ?? '');
        if (path) open(path, String(args.thread_id ?? ''));
      },
    });
    if (restorer)
      void restorer.restore(tracker, {
        command: 'lumos:open-chat',
        args: (widget) => {
          const one = opened.find((one) => one.widget === widget);
          return { path: one?.path() ?? '', thread_id: one?.threadId ?? '' };
        },
        name: (widget) => widget.id,
      });
  },
};
