// The room of the side panel.

import { ILabShell, ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { LabIcon } from '@jupyterlab/ui-components';

import { ILinks } from '../kernel';
import { Model } from './model';
import { SidePanel } from './sidebar';

const RANK = 101; // behind the file browser

export const lumosIcon = new LabIcon({
  name: 'lumos-nb:panel',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path class="jp-icon3" fill="#616161"
 d="M4 3h16a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2h-8l-5 4v-4H4a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zm1 3v2h14V6zm0 5v2h9v-2z"/></svg>`,
});

export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: 'lumos-nb:panel',
  description: 'Shows threads, runs, agents and approvals beside the notebook.',
  autoStart: true,
  requires: [ILinks],
  optional: [ITranslator, ILayoutRestorer, ILabShell],
  activate: (
    app: JupyterFrontEnd,
    links: ILinks,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    labShell: ILabShell | null,
  ) => {
    const trans = (translator ?? nullTranslator).load('lumos_nb');
    const model = new Model(links);
    const panel = new SidePanel(app, model, trans);
    panel.title.icon = lumosIcon;
    const name = () => {
      const n = model.waiting.length;
      panel.title.caption = n ? trans._n('Lumos: %1 call waits for you', 'Lumos: %1 calls wait for you', n) : 'Lumos';
      const others = Object.entries(panel.title.dataset).filter(([key]) => key !== 'lumos-waiting');
      panel.title.dataset = Object.fromEntries(n ? [...others, ['lumos-waiting', String(n)]] : others);
    };
    name();
    model.approvalsChanged.connect(name);
    app.shell.add(panel, 'left', { rank: RANK, type: 'Lumos' });
    restorer?.add(panel, 'lumos-panel');

    const open = () => {
      if (labShell) labShell.activateById(panel.id);
      else app.shell.activateById(panel.id);
    };
    app.commands.addCommand('lumos:open-panel', {
      label: trans.__('Show the Lumos panel'),
      icon: lumosIcon,
      execute: open,
    });
    const tabs = {
      threads: trans.__('Show threads'),
      runs: trans.__('Show runs'),
      agents: trans.__('Show agents and tools'),
      approvals: trans.__('Show what waits for you'),
    };
    for (const tab of Object.keys(tabs) as (keyof typeof tabs)[])
      app.commands.addCommand(`lumos:show-${tab}`, {
        label: tabs[tab],
        execute: (args) => {
          open();
          panel.openTab(tab, String(args.thread_id ?? ''));
        },
      });
  },
};
