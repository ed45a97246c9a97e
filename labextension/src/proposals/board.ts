// The proposals of one notebook: asked of its kernel, shown in their places, decided.

import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { PanelLayout } from '@lumino/widgets';

import { cellOf } from '../notebooks';
import { type Link, type LumosProblem, problemText } from '../kernel';
import type { Proposal } from '../protocol';
import { Bar } from './bar';
import { Block, type Answer, type Look } from './block';
import { anchorOf, newText, problemOf } from './place';

const keyOf = ({ run_id, call_id }: Proposal) => `${run_id}/${call_id}`;

export class Board {
  private link: Link | null = null;
  private blocks = new Map<string, Block>();
  private seen = new Map<string, string>();
  private bar: Bar;
  private isAsking = false;
  private mustAsk = false;

  constructor(
    private readonly panel: NotebookPanel,
    private readonly isInFront: () => boolean,
    private readonly trans: TranslationBundle,
    private readonly onChange: () => void,
  ) {
    this.bar = new Bar(
      trans,
      (accepts) => void this.decideAll(accepts),
      (step) => this.go(step),
    );
    panel.contentHeader.addWidget(this.bar);
    const replace = () => requestAnimationFrame(() => this.place());
    panel.content.modelContentChanged.connect(replace);
    panel.disposed.connect(() => (this.link = null));
  }

  get count(): number {
    return this.blocks.size;
  }

  /** Takes its proposals from this link; null: the kernel is gone, and what it waited for with it. */
  use(link: Link | null): void {
    if (link === this.link) return;
    this.link = link;
    const lost = this.blocks.size;
    if (!link) this.show([]);
    if (!link && lost)
      this.bar.say(
        this.trans._n(
          'The kernel is gone, and %1 proposal with it.',
          'The kernel is gone, and %1 proposals with it.',
          lost,
        ),
      );
    link?.told.connect((_, told) => {
      if (told.news === 'changed' && told.with.what.includes('approvals')) void this.ask();
    });
    if (link) void this.ask();
  }

  /** Asks the kernel what waits; many calls become few. */
  private async ask(): Promise<void> {
    this.mustAsk = true;
    if (this.isAsking) return;
    this.isAsking = true;
    try {
      while (this.mustAsk && this.link) {
        this.mustAsk = false;
        const { link } = this;
        const { proposals } = await link.ask('proposals.list', {});
        if (link === this.link) this.show(proposals);
      }
    } catch (problem) {
      // the kernel is gone or does not know of proposals: there are none; one that was busy is asked again
      this.mustAsk = (problem as LumosProblem).type === 'NoAnswer';
    } finally {
      this.isAsking = false;
    }
    if (this.mustAsk) void this.ask();
  }

  private show(proposals: Proposal[]): void {
    const open = new Map(proposals.map((proposal) => [keyOf(proposal), proposal]));
    const hadFocus = [...this.blocks.values()].find((block) => block.node.contains(document.activeElement));
    const index = hadFocus ? this.inOrder().indexOf(hadFocus) : -1;
    for (const [key, block] of this.blocks) if (!open.has(key)) this.drop(key, block);
    const isFirst = !this.blocks.size;
    for (const [key, proposal] of open) if (!this.blocks.has(key)) this.add(key, proposal);
    this.place();
    if (hadFocus?.isDisposed) (this.inOrder()[Math.min(index, this.count - 1)] ?? this.bar).focus();
    if (isFirst && this.count && this.isInFront()) this.scrollTo(this.inOrder()[0]);
    this.bar.count(this.count);
    this.onChange();
  }

  private add(key: string, proposal: Proposal): void {
    const problem = problemOf(this.panel, proposal, this.trans);
    const cell = cellOf(this.panel, proposal.cell_id);
    const source = cell?.model.sharedModel.getSource() ?? '';
    const isOld = typeof proposal.base === 'string' && proposal.base !== source;
    if (problem || isOld) {
      // Nobody could accept it here. If that is so in every page, the agent is told, and may read the cell again.
      const reason = problem || this.trans.__('The cell has changed since you read it.');
      void this.send(proposal, { accepts: false, reason, is_impossible: true });
      return;
    }
    this.seen.set(key, source);
    cell?.model.sharedModel.changed.connect(this.look, this);
    this.blocks.set(key, this.blockOf(proposal));
  }

  private blockOf(proposal: Proposal): Block {
    return new Block(proposal, (answer) => void this.decide(proposal, answer), this.trans);
  }

  private drop(key: string, block: Block): void {
    cellOf(this.panel, block.proposal.cell_id)?.model.sharedModel.changed.disconnect(this.look, this);
    this.blocks.delete(key);
    this.seen.delete(key);
    block.dispose();
  }

  /** Puts each block where its cell is now: cells come, go and move. */
  private place(): void {
    if (this.panel.isDisposed) return;
    for (const cell of this.panel.content.widgets) cell.removeClass('lumos-mod-proposed-edit');
    for (const cell of this.panel.content.widgets) cell.removeClass('lumos-mod-proposed-delete');
    for (const [key, { proposal, isDisposed }] of this.blocks) {
      if (isDisposed) this.blocks.set(key, this.blockOf(proposal)); // its cell went, and took it along
      const block = this.blocks.get(key)!;
      const cell = anchorOf(this.panel, proposal);
      if (!cell) {
        if (block.parent !== this.bar) this.bar.addWidget(block); // its cell was deleted: the person decides
        continue;
      }
      if (proposal.kind === 'edit' || proposal.kind === 'delete') cell.addClass(`lumos-mod-proposed-${proposal.kind}`);
      if (block.parent === cell) continue;
      void cell.ready.then(() => {
        if (block.isDisposed || block.parent === cell) return;
        const layout = cell.layout as PanelLayout;
        const isAbove = proposal.kind === 'edit' || proposal.kind === 'delete' || proposal.cell_id === 'top';
        layout.insertWidget(isAbove ? 0 : layout.widgets.length, block);
      });
    }
    this.look();
  }

  private look(): void {
    for (const [key, block] of this.blocks) block.draw(this.looks(key, block.proposal));
  }

  private looks(key: string, proposal: Proposal): Look {
    const problem = problemOf(this.panel, proposal, this.trans);
    if (proposal.kind === 'insert') return { before: '', after: proposal.source, problem, isChanged: false };
    const before = cellOf(this.panel, proposal.cell_id)?.model.sharedModel.getSource() ?? '';
    const isChanged = before !== this.seen.get(key);
    const after = problem || proposal.kind !== 'edit' ? before : newText(before, proposal, this.trans);
    return { before, after, problem, isChanged };
  }

  private async decide(proposal: Proposal, answer: Answer): Promise<void> {
    const block = this.blocks.get(keyOf(proposal));
    const problem = await this.send(proposal, answer);
    if (problem && block && !block.isDisposed) block.refuse(problem);
    await this.ask();
  }

  /** Tells the kernel; returns what is wrong with that. */
  private async send(proposal: Proposal, answer: Answer): Promise<string> {
    const { run_id, call_id, kind, cell_id } = proposal;
    const base = kind === 'insert' ? null : (cellOf(this.panel, cell_id)?.model.sharedModel.getSource() ?? null);
    try {
      if (!this.link) throw new Error(this.trans.__('The kernel is gone.'));
      await this.link.ask('proposals.decide', { run_id, call_id, page: this.link.page, base, ...answer });
      return '';
    } catch (error) {
      return problemText(error);
    }
  }

  // ---- all of them ----

  async decideAll(accepts: boolean): Promise<void> {
    const possible = this.inOrder().filter((block) => !accepts || block.isPossible);
    for (const { proposal } of possible) await this.decide(proposal, { accepts });
  }

  /** Goes to the next one, or the one before. */
  go(step: number): void {
    const blocks = this.inOrder();
    if (!blocks.length) return;
    const now = blocks.findIndex((block) => block.node.contains(document.activeElement));
    const next = now < 0 ? (step > 0 ? 0 : blocks.length - 1) : (now + step + blocks.length) % blocks.length;
    void this.scrollTo(blocks[next]).then(() => blocks[next].focus());
  }

  private inOrder(): Block[] {
    const { widgets } = this.panel.content;
    const at = ({ proposal }: Block) => widgets.indexOf(anchorOf(this.panel, proposal)!);
    return [...this.blocks.values()].sort((a, b) => at(a) - at(b)); // those of one place keep their order
  }

  private async scrollTo(block: Block): Promise<void> {
    const cell = anchorOf(this.panel, block.proposal);
    if (!cell) return;
    const { content } = this.panel;
    const align = cell.node.isConnected ? 'smart' : 'center'; // 'smart' stays where it is for a cell not drawn yet
    await content.scrollToItem(content.widgets.indexOf(cell), align).catch(() => undefined);
    await cell.ready;
    block.node.scrollIntoView({ block: 'nearest' });
  }
}
