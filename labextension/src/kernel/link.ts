// One kernel's end of the protocol: requests with answers in both directions, and news.
//
// The kernel may be busy, older than this extension, or gone: a request then ends with a problem in words.

import type { Kernel, KernelMessage } from '@jupyterlab/services';
import { type ISignal, Signal } from '@lumino/signaling';

import { PROTOCOL_VERSION, TARGET, type KernelAsks, type News, type PageAsks } from '../protocol';
import { leavePage, takePage } from './page';
import { LumosProblem } from './problem';

const ANSWER_MS = 20_000;

const gone = () => new LumosProblem('Gone', 'The kernel was restarted or has ended.', 'Run %load_ext lumos_nb again.');

type Given<K extends keyof KernelAsks> = KernelAsks[K]['given'];
type Answer<K extends keyof KernelAsks> = KernelAsks[K]['answer'];
export type Told = { [K in keyof News]: { news: K; with: News[K] } }[keyof News];
type Handler = (given: any) => unknown;
interface Waiting {
  resolve: (answer: any) => void;
  reject: (problem: LumosProblem) => void;
  timer: ReturnType<typeof setTimeout>;
}

export class Link {
  /** Names this link to the kernel, also after a reload of the page. */
  readonly page: string;
  private comm: Kernel.IComm;
  private waiting = new Map<number, Waiting>();
  private n = 0;
  private _told = new Signal<this, Told>(this);
  private _greeted = new Signal<this, number>(this);
  private _closed = new Signal<this, void>(this);
  private _isOpen = true;

  constructor(
    readonly kernel: Kernel.IKernelConnection,
    private readonly handlers: Map<string, Handler>,
  ) {
    this.comm = kernel.createComm(TARGET);
    this.comm.onMsg = (message) => this.receive(message);
    this.comm.onClose = () => this.close();
    this.page = takePage(kernel.id);
    this.comm.open({ v: PROTOCOL_VERSION, page: this.page });
    window.addEventListener('pagehide', this.leave);
  }

  get isOpen(): boolean {
    return this._isOpen;
  }

  /** What the kernel tells, unasked. */
  get told(): ISignal<this, Told> {
    return this._told;
  }

  /** The version of the protocol that the kernel speaks, once it has said so. */
  get greeted(): ISignal<this, number> {
    return this._greeted;
  }

  /** Emitted once, when the kernel or its extension is gone. */
  get closed(): ISignal<this, void> {
    return this._closed;
  }

  /** Asks the kernel. Rejects with a `LumosProblem` that says why it could not. */
  ask<K extends keyof KernelAsks>(name: K, given: Given<K>, withinMs = ANSWER_MS): Promise<Answer<K>> {
    if (!this._isOpen) return Promise.reject(gone());
    const id = ++this.n;
    return new Promise((resolve, reject) => {
      const late = new LumosProblem('NoAnswer', 'The kernel does not answer.', 'Wait until it is free, or restart it.');
      const timer = setTimeout(() => this.settle(id)?.reject(late), withinMs);
      this.waiting.set(id, { resolve, reject, timer });
      this.send({ id, ask: name, with: given as any });
    });
  }

  /** Ends it; the kernel is told unless it is gone. */
  close(tellsKernel = false): void {
    if (!this._isOpen) return;
    this._isOpen = false;
    window.removeEventListener('pagehide', this.leave);
    leavePage(this.kernel.id, this.page);
    if (tellsKernel) this.comm.close().done.catch(() => undefined);
    for (const id of [...this.waiting.keys()]) this.settle(id)?.reject(gone());
    this._closed.emit();
    Signal.clearData(this);
  }

  private readonly leave = () => this.close(true);

  private settle(id: number): Waiting | undefined {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    clearTimeout(waiting?.timer);
    return waiting;
  }

  private send(message: any): void {
    try {
      this.comm.send(message);
    } catch {
      this.close();
    }
  }

  private receive(message: KernelMessage.ICommMsgMsg): void {
    const data: any = message.content.data;
    if (typeof data.v === 'number') this._greeted.emit(data.v);
    else if (typeof data.news === 'string') this._told.emit(data as Told);
    else if (typeof data.ask === 'string') void this.answer(data);
    else if ('answer' in data) this.settle(data.id)?.resolve(data.answer);
    else if ('problem' in data) {
      const { type, message, hint } = data.problem;
      this.settle(data.id)?.reject(new LumosProblem(type, message, hint));
    }
  }

  private async answer({ id, ask, with: given }: { id: string; ask: keyof PageAsks; with: any }): Promise<void> {
    try {
      const handler = this.handlers.get(ask);
      if (!handler) throw new Error(`This page's Lumos extension does not know ${ask}: it is older than the kernel's.`);
      this.send({ id, answer: (await handler(given)) ?? {} });
    } catch (error) {
      this.send({ id, problem: { type: 'Error', message: String((error as Error).message ?? error) } });
    }
  }
}
