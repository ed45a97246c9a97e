// A conversation beside its notebook: the thread's runs, whether said here or in cells, and a place to write.

import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { type ISignal, Signal } from '@lumino/signaling';
import { Panel, Widget } from '@lumino/widgets';

import { button } from '../elements';
import { type ILinks, type Link, problemText } from '../kernel';
import type { Told } from '../kernel/link';
import type { History, Turn } from '../protocol';
import { Input } from './input';
import { TurnView } from './turn';

const SETTLES_MS = 400;
const A_PAGE = 10;
/** So near to the end counts as being there. */
const NEAR_PX = 40;

export interface Place {
  /** Finds the notebook, which may come later than the chat after a reload. */
  find: () => NotebookPanel | null;
  /** Empty: the thread that cells continue. */
  threadId: string;
  showNotebook: () => void;
}

export class Chat extends Panel {
  private notebook: NotebookPanel | null = null;
  private link: Link | null = null;
  /** The thread that is shown now. */
  private shownThread = '';
  private readonly head = new Widget();
  private readonly turns = new Panel();
  private readonly older: HTMLButtonElement;
  private readonly input: Input;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private follows = true;
  private _named = new Signal<this, string>(this);

  constructor(
    private readonly links: ILinks,
    readonly place: Place,
    private readonly trans: TranslationBundle,
  ) {
    super();
    this.addClass('lumos-chat');
    this.head.addClass('lumos-chat-head');
    this.turns.addClass('lumos-turns');
    this.turns.node.setAttribute('role', 'log');
    this.turns.node.setAttribute('aria-label', trans.__('Conversation'));
    this.turns.node.tabIndex = 0;
    this.older = button(trans.__('Show what was said before'), () => this.showOlder());
    this.older.hidden = true;
    const before = new Widget();
    before.addClass('lumos-older');
    before.node.append(this.older);
    this.input = new Input(
      trans,
      (text) => this.say(text),
      () => void this.stop(),
    );
    for (const part of [this.head, before, this.turns, this.input]) this.addWidget(part);
    this.turns.node.onscroll = () => {
      const { scrollTop, scrollHeight, clientHeight } = this.turns.node;
      this.follows = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    };
    links.changed.connect(this.meet, this);
    this.meet();
  }

  /** Emitted with the name of the thread that is shown. */
  get named(): ISignal<this, string> {
    return this._named;
  }

  dispose(): void {
    if (this.isDisposed) return;
    if (this.timer) clearTimeout(this.timer);
    Signal.clearData(this);
    super.dispose();
  }

  protected onActivateRequest(): void {
    this.input.focus();
  }

  /** Takes the link that the notebook has now, if it has one. */
  private meet(): void {
    this.notebook ??= this.place.find();
    const link = this.links.of(this.notebook);
    if (link === this.link && link !== null) return;
    this.link?.told.disconnect(this.hear, this);
    this.link = link;
    if (link) {
      for (const view of this.views.filter((view) => view.isLost)) view.dispose(); // what was recorded comes anew
      link.told.connect(this.hear, this);
      void this.load();
    } else {
      for (const view of this.views) if (view.turn.is_running) view.lose();
      this.input.setState('gone');
      this.head.node.textContent = this.trans.__(
        'The notebook’s kernel has not loaded lumos_nb. Run %load_ext lumos_nb.',
      );
    }
  }

  private hear(_: Link, told: Told): void {
    if (told.news === 'chat.shown') {
      if (!this.shownThread || told.with.thread_id === this.shownThread) this.take([told.with]);
    } else if (told.news === 'changed' && told.with.what.some((one) => ['runs', 'threads', 'status'].includes(one))) {
      this.timer ??= setTimeout(() => {
        this.timer = null;
        void this.load();
      }, SETTLES_MS);
    }
  }

  // ---- what was said ------------------------------------------------------------------

  private get views(): TurnView[] {
    return this.turns.widgets as TurnView[];
  }

  private async load(): Promise<void> {
    const { link } = this;
    if (!link) return;
    const known = this.views.filter(({ turn }) => !turn.is_running && turn.run_id).map(({ turn }) => turn.run_id);
    try {
      const history = await link.ask('chat.history', { thread_id: this.place.threadId, limit: A_PAGE, known });
      if (link !== this.link || this.isDisposed) return;
      this.showTurns(history);
    } catch (problem) {
      this.input.say(problemText(problem));
    }
  }

  private showTurns(history: History): void {
    const { trans } = this;
    if (history.thread_id !== this.shownThread && this.shownThread) {
      for (const view of [...this.views]) view.dispose();
      this.older.hidden = true;
    }
    if (!this.views.length) this.older.hidden = !history.has_more;
    const isOther = history.thread_id !== this.shownThread;
    this.shownThread = history.thread_id;
    this.head.node.textContent = history.thread
      ? trans.__('%1 · thread %2', history.agent, history.thread)
      : trans.__('%1 · a new thread', history.agent);
    this._named.emit(history.thread);
    this.take(history.turns);
    if (isOther) void this.load(); // what the page had of another thread was left out
  }

  private take(turns: Turn[]): void {
    if (!this.notebook) return;
    for (const turn of turns) {
      const view = this.views.find((view) => view.is(turn));
      if (!view) this.turns.addWidget(this.view(turn));
      else if (turn.is_running && view.turn.is_running && isLive(turn)) continue;
      else if (!view.turn.is_running) continue;
      else void view.draw({ ...turn, turn: view.turn.turn });
    }
    this.input.setState(this.running ? 'running' : 'ready');
  }

  private view(turn: Turn): TurnView {
    const view = new TurnView(turn, this.notebook!, this.trans, this.place.showNotebook);
    const observer = new ResizeObserver(() => {
      if (this.follows) this.turns.node.scrollTop = this.turns.node.scrollHeight;
    });
    observer.observe(view.node);
    view.disposed.connect(() => observer.disconnect());
    return view;
  }

  private async showOlder(): Promise<void> {
    const first = this.views[0];
    if (!this.link || !first) return;
    const given = { thread_id: this.shownThread, before: first.turn.run_id, limit: A_PAGE };
    try {
      const { turns, has_more } = await this.link.ask('chat.history', given);
      const { node } = this.turns;
      const below = node.scrollHeight - node.scrollTop;
      this.follows = false;
      turns.forEach((turn, n) => this.turns.insertWidget(n, this.view(turn)));
      this.older.hidden = !has_more;
      node.scrollTop = node.scrollHeight - below;
    } catch (problem) {
      this.input.say(problemText(problem));
    }
  }

  // ---- what is said -------------------------------------------------------------------

  private get running(): Turn | null {
    return [...this.views].reverse().find((view) => view.turn.is_running)?.turn ?? null;
  }

  private async say(text: string): Promise<string> {
    const { link, running } = this;
    if (!link) return this.trans.__('The kernel was restarted or has ended.');
    this.follows = true;
    try {
      if (running) await link.ask('chat.act', { turn: running.turn, t: 'steer', text });
      else this.take([await link.ask('chat.send', { text, thread_id: this.place.threadId })]);
      return '';
    } catch (problem) {
      return problemText(problem);
    }
  }

  private async stop(): Promise<void> {
    const { link, running } = this;
    if (!link || !running) return;
    try {
      await link.ask('chat.act', { turn: running.turn, t: 'stop' });
      this.input.say('');
    } catch (problem) {
      this.input.say(problemText(problem));
    }
  }
}

/** Whether what stands there is the live widget, which changes by itself. */
function isLive(turn: Turn): boolean {
  return 'application/vnd.jupyter.widget-view+json' in (turn.bundle as any);
}
