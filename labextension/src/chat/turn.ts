// One turn: what was said, and the run, drawn as in a cell of the notebook.

import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Panel, Widget } from '@lumino/widgets';

import { element, link } from '../elements';
import { goToCell } from '../notebooks';
import { RUN_MIME, type Turn } from '../protocol';
import { asCell, insertCells, sources, textOf } from './blocks';

const WIDGET = 'application/vnd.jupyter.widget-view+json';
/** As an output would be drawn, the best first. */
const DRAWN = [WIDGET, RUN_MIME, 'text/html', 'text/markdown', 'text/plain'];

export class TurnView extends Panel {
  private drawn: Widget | null = null;
  private readonly tools = element('div', 'lumos-turn-tools');

  constructor(
    private _turn: Turn,
    private readonly notebook: NotebookPanel,
    private readonly trans: TranslationBundle,
    /** Called with the notebook when something of it comes to the front. */
    private readonly showNotebook: () => void,
  ) {
    super();
    this.addClass('lumos-turn');
    const said = new Widget();
    said.addClass('lumos-said');
    said.node.textContent = _turn.prompt;
    said.node.setAttribute('aria-label', trans.__('You said'));
    said.node.setAttribute('role', 'note');
    this.addWidget(said);
    void this.draw(_turn);
  }

  get turn(): Turn {
    return this._turn;
  }

  /** Whether this is the same turn, named by the chat or by its run. */
  is(turn: Turn): boolean {
    return this._turn.turn === turn.turn || (!!turn.run_id && this._turn.run_id === turn.run_id);
  }

  /** Shows how it stands now. */
  async draw(turn: Turn): Promise<void> {
    const { rendermime } = this.notebook.content;
    this._turn = turn;
    const data = turn.bundle as any;
    const mime = DRAWN.find((type) => type in data && rendermime.mimeTypes.includes(type));
    const before = this.drawn;
    this.node.toggleAttribute('data-running', turn.is_running);
    if (mime) {
      const renderer = rendermime.createRenderer(mime);
      renderer.addClass('lumos-turn-run');
      this.drawn = renderer;
      const height = this.node.offsetHeight;
      this.node.style.minHeight = `${height}px`; // the page does not jump while one takes the other's place
      await renderer.renderModel(rendermime.createModel({ data, trusted: false })).catch((error) => {
        renderer.node.textContent = this.trans.__('This turn cannot be shown: %1', String(error?.message ?? error));
      });
      if (this.isDisposed || this.drawn !== renderer) return renderer.dispose();
      before?.dispose();
      this.addWidget(renderer);
      this.node.style.minHeight = '';
    }
    this.offer();
  }

  /** Whether its kernel ended in the middle. */
  get isLost(): boolean {
    return this.node.hasAttribute('data-lost');
  }

  /** Says that its kernel ended in the middle of it. */
  lose(): void {
    this._turn = { ...this._turn, is_running: false };
    this.node.setAttribute('data-lost', '');
    this.drawn?.dispose();
    this.drawn = new Widget();
    this.drawn.addClass('lumos-bad');
    this.drawn.node.textContent = this.trans.__(
      'The kernel ended in the middle of this run. %agent resume in a cell takes it up.',
    );
    this.addWidget(this.drawn);
    this.offer();
  }

  private offer(): void {
    const { trans } = this;
    this.tools.replaceChildren();
    this.node.append(this.tools);
    this.node.toggleAttribute('data-running', this._turn.is_running);
    const cellId = this._turn.cell_id;
    if (cellId) this.add(trans.__('Go to its cell'), () => goToCell(this.notebook, cellId));
    if (this._turn.is_running) return;
    if (!cellId) this.add(trans.__('Insert as cell'), () => this.insert([asCell(this._turn.prompt)]));
    const code = sources(textOf((this._turn.bundle as any)[RUN_MIME]));
    if (code.length)
      this.add(trans._n('Insert the code as a cell', 'Insert the code as %1 cells', code.length), () =>
        this.insert(code),
      );
  }

  private insert(given: string[]): void {
    insertCells(this.notebook, given);
  }

  private add(text: string, act: () => void): void {
    const both = () => {
      act();
      this.showNotebook();
    };
    this.tools.append(link(text, both));
  }
}
