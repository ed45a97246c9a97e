// One proposal as it stands in the notebook: what it would change, and what a person can do about it.

import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { button, element } from '../elements';
import type { Proposal } from '../protocol';
import { diffLines, folded, type Line } from './diff';

/** What a person decides. */
export interface Answer {
  accepts: boolean;
  /** The text as the person changed it. */
  source?: string;
  reason?: string;
  /** Nobody decided: it cannot be done to the notebook as it stands here. */
  is_impossible?: boolean;
}

/** What the notebook says about a proposal now. */
export interface Look {
  before: string;
  after: string;
  problem: string;
  /** Whether the cell has changed since the proposal was first seen. */
  isChanged: boolean;
}

export class Block extends Widget {
  private looks: Look | null = null;
  private readonly buttons = element('div', 'lumos-proposal-buttons');
  private readonly body = element('div', 'lumos-proposal-body');
  private readonly note = element('div', 'lumos-proposal-note');

  constructor(
    readonly proposal: Proposal,
    private readonly decide: (answer: Answer) => void,
    private readonly trans: TranslationBundle,
  ) {
    super({ node: document.createElement('section') });
    this.addClass('lumos-proposal');
    this.addClass(`lumos-proposal-${proposal.kind}`);
    this.node.tabIndex = -1;
    this.node.dataset.lmSuppressShortcuts = 'true'; // the notebook's own keys are not meant here
    const title = element('div', 'lumos-proposal-title', this.title_());
    this.node.setAttribute('aria-label', title.textContent!);
    this.note.setAttribute('role', 'status');
    this.node.append(title, this.note, this.body, this.buttons);
    this.node.addEventListener('keydown', (event) => this.onKey(event));
  }

  /** Draws what it would change in the notebook as that stands. */
  draw(looks: Look): void {
    if (JSON.stringify(looks) === JSON.stringify(this.looks)) return;
    this.looks = looks;
    const changed = looks.isChanged ? this.trans.__('The cell has changed since this was proposed.') : '';
    this.note.textContent = looks.problem || changed;
    if (this.node.querySelector('textarea, input')) return; // a person is at it
    this.drawBody();
    this.drawButtons();
  }

  get isPossible(): boolean {
    return !this.looks?.problem;
  }

  /** Takes the focus, where a person asked for it. */
  focus(): void {
    (this.buttons.querySelector<HTMLElement>('button:not(:disabled)') ?? this.node).focus({ preventScroll: true });
  }

  /** Says what is in the way, and lets the person decide again. */
  refuse(message: string): void {
    this.note.textContent = message;
    this.drawButtons();
  }

  private title_(): string {
    const { agent, kind, type } = this.proposal;
    if (kind === 'edit') return this.trans.__('%1 proposes to change this cell', agent);
    if (kind === 'delete') return this.trans.__('%1 proposes to delete this cell', agent);
    if (kind === 'run') return this.trans.__('%1 proposes to run this cell', agent);
    return type === 'code'
      ? this.trans.__('%1 proposes a new cell here', agent)
      : this.trans.__('%1 proposes a new %2 cell here', agent, type);
  }

  private drawBody(): void {
    const { kind } = this.proposal;
    if (kind === 'run') return;
    const { before, after } = this.looks!;
    const plain = (kind: '+' | '-', text: string): Line[] =>
      text.split('\n').map((text) => ({ kind, text, marks: [] }));
    const lines =
      kind === 'insert' ? plain('+', after) : kind === 'delete' ? plain('-', before) : folded(diffLines(before, after));
    const diff = element('div', 'lumos-diff');
    diff.setAttribute('role', 'group');
    diff.setAttribute('aria-label', this.trans.__('What would change'));
    diff.tabIndex = 0; // it scrolls
    diff.append(...lines.map((line) => this.row(line)));
    this.body.replaceChildren(diff);
  }

  private row(line: Line): HTMLElement {
    if (line.kind === 'gap')
      return element('div', 'lumos-diff-gap', this.trans._n('%1 line as it is', '%1 lines as they are', line.n!));
    const name = { ' ': 'kept', '+': 'added', '-': 'removed' }[line.kind];
    const row = element('div', `lumos-diff-row lumos-diff-${name}`);
    const sign = element('span', 'lumos-diff-sign', line.kind === '-' ? '−' : line.kind);
    sign.setAttribute('aria-label', { ' ': '', '+': this.trans.__('added'), '-': this.trans.__('removed') }[line.kind]);
    if (line.kind !== ' ') sign.setAttribute('role', 'img');
    const code = element('code', 'lumos-diff-text');
    let at = 0;
    for (const [from, to] of line.marks) {
      code.append(line.text.slice(at, from), element('mark', 'lumos-diff-word', line.text.slice(from, to)));
      at = to;
    }
    code.append(line.text.slice(at));
    row.append(sign, code);
    return row;
  }

  private drawButtons(): void {
    const { trans, proposal } = this;
    const canEdit = proposal.kind === 'insert' || proposal.kind === 'edit';
    const hasFocus = this.buttons.contains(document.activeElement);
    const accept = button(trans.__('Accept'), () => this.answer({ accepts: true }));
    accept.disabled = !this.isPossible;
    this.buttons.replaceChildren(
      accept,
      ...(canEdit ? [button(trans.__('Edit…'), () => this.edit())] : []),
      button(trans.__('Reject'), () => this.answer({ accepts: false })),
      button(trans.__('Reject with a reason…'), () => this.ask()),
    );
    if (hasFocus) this.focus();
  }

  private edit(): void {
    const area = element('textarea', 'lumos-proposal-text jp-mod-styled');
    area.value = this.looks!.problem ? this.looks!.before : this.looks!.after;
    area.rows = Math.min(24, area.value.split('\n').length + 1);
    area.spellcheck = false;
    area.setAttribute('aria-label', this.trans.__('The text of the cell'));
    this.body.replaceChildren(area);
    this.buttons.replaceChildren(
      button(this.trans.__('Accept as edited'), () => this.answer({ accepts: true, source: area.value })),
      button(this.trans.__('Back'), () => this.back()),
    );
    area.focus();
  }

  private ask(): void {
    const input = element('input', 'lumos-proposal-reason jp-mod-styled');
    input.placeholder = this.trans.__('Why not, for the agent');
    input.setAttribute('aria-label', input.placeholder);
    const reject = () => this.answer({ accepts: false, reason: input.value });
    input.addEventListener('keydown', (event) => event.key === 'Enter' && reject());
    this.buttons.replaceChildren(
      input,
      button(this.trans.__('Reject'), reject),
      button(this.trans.__('Back'), () => this.back()),
    );
    input.focus();
  }

  private back(): void {
    this.drawBody();
    this.drawButtons();
    this.focus();
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key === 'Escape' && this.node.querySelector('textarea, input')) this.back();
    event.stopPropagation(); // nor its key bindings, such as D D
  }

  private answer(answer: Answer): void {
    const hadFocus = this.node.contains(document.activeElement);
    this.buttons.replaceChildren(element('span', '', this.trans.__('One moment …')));
    if (hadFocus) this.node.focus({ preventScroll: true });
    this.decide(answer);
  }
}
