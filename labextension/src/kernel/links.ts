// The links of this page: one to each kernel of an open notebook that has loaded lumos_nb.
//
// A kernel is asked whether it has, when a notebook meets it and after each cell until it has; one that
// never will is left in peace otherwise.

import { Notification } from '@jupyterlab/apputils';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Token } from '@lumino/coreutils';
import { type ISignal, Signal } from '@lumino/signaling';

import { eachNotebook, onExecuted } from '../notebooks';
import { PROTOCOL_VERSION, TARGET, type PageAsks } from '../protocol';
import { Link } from './link';

export interface ILinks {
  /** The link of the notebook in front, or null where it has none. */
  readonly current: Link | null;
  /** The notebook in front, or null. */
  readonly panel: NotebookPanel | null;
  /** Emitted when `current` or `panel` is another. */
  readonly currentChanged: ISignal<ILinks, void>;
  /** Every open link, with its notebook. */
  readonly all: ReadonlyMap<NotebookPanel, Link>;
  /** Calls for each link: those that are open, and those to come. */
  each(act: (link: Link, panel: NotebookPanel) => void): void;
  /** Emitted when a link is opened or closed. */
  readonly changed: ISignal<ILinks, void>;
  /** The link of a notebook, or null. */
  of(panel: NotebookPanel | null): Link | null;
  /** Answers what a kernel asks of this page; `panel` is the notebook of that kernel. */
  answer<K extends keyof PageAsks>(
    name: K,
    handler: (
      given: PageAsks[K]['given'],
      panel: NotebookPanel,
    ) => PageAsks[K]['answer'] | Promise<PageAsks[K]['answer']>,
  ): void;
}

export const ILinks = new Token<ILinks>('lumos-nb:ILinks', 'The links to kernels that have loaded lumos_nb.');

export class Links implements ILinks {
  private links = new Map<NotebookPanel, Link>();
  private handlers = new Map<string, (given: any, panel: NotebookPanel) => unknown>();
  private opened = new Signal<this, NotebookPanel>(this);
  private _changed = new Signal<this, void>(this);
  private _currentChanged = new Signal<this, void>(this);

  private hasCompared = false;

  constructor(
    private readonly tracker: INotebookTracker,
    private readonly trans: TranslationBundle,
  ) {
    eachNotebook(tracker, (panel) => this.watch(panel));
    tracker.currentChanged.connect(() => this._currentChanged.emit());
    onExecuted(tracker, (panel) => {
      if (!this.links.has(panel)) void this.find(panel);
    });
  }

  get all(): ReadonlyMap<NotebookPanel, Link> {
    return this.links;
  }

  each(act: (link: Link, panel: NotebookPanel) => void): void {
    this.opened.connect((_, panel) => act(this.links.get(panel)!, panel));
    for (const [panel, link] of this.links) act(link, panel);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get panel(): NotebookPanel | null {
    return this.tracker.currentWidget;
  }

  get current(): Link | null {
    return this.of(this.panel);
  }

  get currentChanged(): ISignal<this, void> {
    return this._currentChanged;
  }

  of(panel: NotebookPanel | null): Link | null {
    return (panel && this.links.get(panel)) ?? null;
  }

  answer(name: string, handler: (given: any, panel: NotebookPanel) => unknown): void {
    this.handlers.set(name, handler);
  }

  private watch(panel: NotebookPanel): void {
    const context = panel.sessionContext;
    context.kernelChanged.connect(() => void this.find(panel));
    context.statusChanged.connect((_, status) => {
      if (/restarting|terminating|dead|autorestarting/.test(status)) this.links.get(panel)?.close();
    });
    panel.disposed.connect(() => this.links.get(panel)?.close(true));
    void context.ready.then(() => this.find(panel));
  }

  /** Looks whether the panel's kernel has loaded lumos_nb, and opens a link if it has. */
  private async find(panel: NotebookPanel): Promise<void> {
    const kernel = panel.sessionContext.session?.kernel;
    const before = this.links.get(panel);
    if (before?.isOpen && before.kernel === kernel) return;
    before?.close(before.kernel.connectionStatus === 'connected'); // it may serve another notebook
    if (!kernel || !(await hasLumos(kernel)) || panel.isDisposed || this.links.has(panel)) return;
    if (panel.sessionContext.session?.kernel !== kernel) return; // another one since
    const handlers = new Map(
      [...this.handlers].map(([name, handler]) => [name, (given: any) => handler(given, panel)] as const),
    );
    const link = new Link(kernel, handlers);
    this.links.set(panel, link);
    link.greeted.connect((_, version) => this.compare(version));
    link.closed.connect(() => {
      if (this.links.get(panel) !== link) return;
      this.links.delete(panel);
      this.tell(panel);
    });
    this.opened.emit(panel);
    this.tell(panel);
  }

  /** Says once which side is to be updated, where they differ. */
  private compare(version: number): void {
    if (version === PROTOCOL_VERSION || this.hasCompared) return;
    this.hasCompared = true;
    const { trans } = this;
    Notification.warning(
      version > PROTOCOL_VERSION
        ? trans.__(
            "This page's Lumos extension is older than the kernel's lumos_nb. Update lumos-nb beside JupyterLab.",
          )
        : trans.__(
            "The kernel's lumos_nb is older than this page's extension. Update lumos-nb in the kernel's environment.",
          ),
      { autoClose: false },
    );
  }

  private tell(panel: NotebookPanel): void {
    this._changed.emit();
    if (panel === this.panel) this._currentChanged.emit();
  }
}

async function hasLumos(kernel: Kernel.IKernelConnection): Promise<boolean> {
  try {
    const spec = await kernel.spec; // not its info: a kernel that is busy does not say it
    if (spec && spec.language.toLowerCase() !== 'python') return false;
    const reply = await kernel.requestCommInfo({ target_name: TARGET });
    return reply.content.status === 'ok' && Object.keys(reply.content.comms).length > 0;
  } catch {
    return false; // it was shut down meanwhile
  }
}
