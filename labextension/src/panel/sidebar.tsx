// The panel itself: which notebook, which tab, and what was spent.

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { PathExt } from '@jupyterlab/coreutils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import React, { useEffect, useReducer } from 'react';

import { Agents } from './agents';
import { Approvals } from './approvals';
import { Budget } from './budget';
import type { Model } from './model';
import { Runs } from './runs';
import type { Shown } from './shown';
import { Threads } from './threads';

const TABS = ['threads', 'runs', 'agents', 'approvals'] as const;
type Tab = (typeof TABS)[number];

export class SidePanel extends ReactWidget {
  private tab: Tab = 'threads';
  private threadId = '';

  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly model: Model,
    private readonly trans: TranslationBundle,
  ) {
    super();
    this.id = 'lumos-panel';
    this.addClass('lumos-panel');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Lumos'));
  }

  /** Opens a tab; of the runs perhaps only those of a thread. */
  openTab(tab: Tab, threadId = ''): void {
    this.tab = tab;
    this.threadId = threadId;
    this.update();
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.model.isVisible = true;
    this.update();
  }

  protected onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.model.isVisible = false;
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.model.isVisible = this.isVisible;
  }

  protected render(): JSX.Element {
    return (
      <Body
        app={this.app}
        model={this.model}
        trans={this.trans}
        tab={this.tab}
        threadId={this.threadId}
        choose={(tab) => this.openTab(tab)}
      />
    );
  }
}

interface BodyProps {
  app: JupyterFrontEnd;
  model: Model;
  trans: TranslationBundle;
  tab: Tab;
  threadId: string;
  choose: (tab: Tab) => void;
}

function Body({ app, model, trans, tab, threadId, choose }: BodyProps): JSX.Element {
  const [, draw] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    model.changed.connect(draw);
    model.approvalsChanged.connect(draw);
    return () => {
      model.changed.disconnect(draw);
      model.approvalsChanged.disconnect(draw);
    };
  }, [model]);
  const { panel, link } = model;
  const shown: Shown | null = panel && link ? { app, model, trans, panel, link } : null;
  const titles = {
    threads: trans.__('Threads'),
    runs: trans.__('Runs'),
    agents: trans.__('Agents'),
    approvals: trans.__('Approvals'),
  };
  return (
    <>
      {model.links.all.size > 1 ? <Notebooks model={model} trans={trans} /> : null}
      <Tabs tab={tab} titles={titles} nWaiting={model.waiting.length} choose={choose} label={trans.__('Lumos')} />
      <div className="lumos-tab" role="tabpanel" id="lumos-tab" aria-labelledby={`lumos-tab-${tab}`}>
        {tab === 'approvals' ? (
          <Approvals model={model} trans={trans} open={(one) => app.shell.activateById(one.id)} />
        ) : !shown ? (
          <NoKernel panel={panel} trans={trans} />
        ) : tab === 'threads' ? (
          <Threads key={shown.link.kernel.id} shown={shown} />
        ) : tab === 'runs' ? (
          <Runs key={shown.link.kernel.id} shown={shown} threadId={threadId} clearThread={() => choose('runs')} />
        ) : (
          <Agents key={shown.link.kernel.id} shown={shown} />
        )}
      </div>
      {shown ? <Budget key={shown.link.kernel.id} shown={shown} /> : null}
    </>
  );
}

interface TabsProps {
  tab: Tab;
  titles: Record<Tab, string>;
  nWaiting: number;
  choose: (tab: Tab) => void;
  label: string;
}

function Tabs({ tab, titles, nWaiting, choose, label }: TabsProps): JSX.Element {
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = TABS[(TABS.indexOf(tab) + step + TABS.length) % TABS.length];
    choose(next);
    event.currentTarget.querySelector<HTMLElement>(`#lumos-tab-${next}`)?.focus();
    event.preventDefault();
  };
  return (
    <div className="lumos-tabs" role="tablist" aria-label={label} onKeyDown={onKeyDown}>
      {TABS.map((one) => (
        <button
          key={one}
          id={`lumos-tab-${one}`}
          type="button"
          role="tab"
          aria-selected={one === tab}
          aria-controls="lumos-tab"
          tabIndex={one === tab ? 0 : -1}
          onClick={() => choose(one)}
        >
          {titles[one]}
          {one === 'approvals' && nWaiting ? <span className="lumos-count">{nWaiting}</span> : null}
        </button>
      ))}
    </div>
  );
}

function Notebooks({ model, trans }: { model: Model; trans: TranslationBundle }): JSX.Element {
  const panels = [...model.links.all.keys()];
  return (
    <div className="lumos-panel-bar">
      <select
        className="lumos-select lumos-wide"
        aria-label={trans.__('Notebook')}
        value={model.panel?.id ?? ''}
        onChange={(event) => model.choose(panels.find((panel) => panel.id === event.target.value)!)}
      >
        {model.panel && !model.link ? (
          <option value={model.panel.id}>{PathExt.basename(model.panel.context.path)}</option>
        ) : null}
        {panels.map((panel) => (
          <option key={panel.id} value={panel.id} title={panel.context.path}>
            {PathExt.basename(panel.context.path)}
          </option>
        ))}
      </select>
    </div>
  );
}

function NoKernel({ panel, trans }: { panel: NotebookPanel | null; trans: TranslationBundle }): JSX.Element {
  return (
    <div className="lumos-told">
      {panel ? (
        <>
          <div>{trans.__('The kernel of this notebook has not loaded lumos_nb.')}</div>
          <div>
            {trans.__('Run this in a cell:')} <code>%load_ext lumos_nb</code>
          </div>
        </>
      ) : (
        trans.__('Open a notebook to see its threads, runs and agents.')
      )}
    </div>
  );
}
