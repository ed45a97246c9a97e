// What stands below a run: its error, the line of figures, and what a person can do with it.

import { Clipboard } from '@jupyterlab/apputils';

import { button, element, styled } from '../elements';
import { problemText } from '../kernel/problem';
import { STYLES } from '../protocol';
import { drawBars } from './bars';
import type { RunDocument } from './document';
import type { Stage } from './stage';
import { barsOf } from './waterfall';
import { summary } from './words';

/** What can be done with a run where it stands; each is missing where it cannot be done. */
export interface Deeds {
  again?: () => unknown;
  resume?: () => unknown;
  fork?: () => Promise<unknown>;
  trace?: () => unknown;
}

export class Foot {
  readonly node = styled('div');
  private readonly actions = styled('span');
  private readonly problem = styled('div', STYLES.error);
  private readonly below = styled('div');

  constructor(
    private readonly stage: Stage,
    private readonly doc: RunDocument,
    private readonly markdown: () => string,
  ) {
    const colour = doc.status === 'failed' ? STYLES.error : STYLES.muted;
    const figures = styled('span', colour, summary(doc).join(' · '));
    const line = element('div', 'lumos-run-foot', figures, this.actions);
    this.actions.className = 'lumos-run-actions';
    this.problem.setAttribute('role', 'alert');
    if (doc.error && doc.status !== 'cancelled') this.node.append(failure(doc.error));
    const isEmpty = !doc.items.some((item) => item.kind === 'text' && item.text.trim());
    if (isEmpty && doc.status === 'completed')
      this.node.append(styled('div', `${STYLES.muted};margin:4px 0`, 'The model ended without a text.'));
    this.node.append(line, this.problem, this.below);
    this.offer({});
  }

  /** Shows the buttons of what can be done now. */
  offer(deeds: Deeds): void {
    const { trans } = this.stage;
    const copy: HTMLButtonElement = button(
      trans.__('copy'),
      () => {
        Clipboard.copyToSystem(this.markdown());
        copy.textContent = trans.__('copied');
        copy.onblur = copy.onpointerleave = () => (copy.textContent = trans.__('copy'));
      },
      trans.__('Copy this run as Markdown'),
    );
    const isOver = this.doc.status === 'failed' || this.doc.status === 'cancelled';
    this.actions.replaceChildren(copy, ...this.timing());
    if (deeds.again) this.add(trans.__('run again'), deeds.again, trans.__('Run this cell again'));
    if (deeds.fork) this.add(trans.__('fork'), deeds.fork, trans.__('Go on from here in a copy of the thread'));
    if (deeds.trace) this.add(trans.__('trace'), deeds.trace, trans.__('Show what happened when, in a cell below'));
    if (deeds.resume && isOver && this.doc.run_id)
      this.add(trans.__('resume'), deeds.resume, trans.__('Go on with this run, in a cell below'));
  }

  private add(label: string, act: () => unknown, title: string): void {
    const node = button(
      label,
      async () => {
        this.problem.textContent = '';
        try {
          await act();
        } catch (error) {
          this.problem.textContent = problemText(error);
        }
      },
      title,
    );
    this.actions.append(node);
  }

  private timing(): HTMLElement[] {
    const bars = barsOf(this.doc);
    if (!bars.length) return [];
    const node: HTMLButtonElement = button(
      this.stage.trans.__('waterfall'),
      () => {
        const isShown = this.below.hasChildNodes();
        node.setAttribute('aria-expanded', String(!isShown));
        if (isShown) this.below.replaceChildren();
        else drawBars(this.stage, bars, this.below);
      },
      this.stage.trans.__('Show the tool calls on an axis of time'),
    );
    node.setAttribute('aria-expanded', String(this.below.hasChildNodes()));
    return [node];
  }
}

function failure(error: { message: string; hint: string }): HTMLElement {
  const node = styled('div', STYLES.failure, styled('div', STYLES.error, error.message));
  if (error.hint) node.append(element('div', '', error.hint));
  return node;
}
