// The line above a notebook's cells that says how many proposals wait, and decides them all.

import type { TranslationBundle } from '@jupyterlab/translation';
import { Panel, Widget } from '@lumino/widgets';

import { button, element } from '../elements';

export class Bar extends Panel {
  private readonly words = element('span', 'lumos-proposals-words');
  private readonly buttons: HTMLElement[];
  private readonly dismiss: HTMLElement;

  constructor(trans: TranslationBundle, all: (accepts: boolean) => void, go: (step: number) => void) {
    super();
    this.addClass('lumos-proposals');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Proposed changes'));
    this.words.setAttribute('role', 'status');
    this.buttons = [
      button(trans.__('Previous'), () => go(-1)),
      button(trans.__('Next'), () => go(1)),
      button(trans.__('Accept all'), () => all(true)),
      button(trans.__('Reject all'), () => all(false)),
    ];
    this.dismiss = button(trans.__('Dismiss'), () => this.hide());
    const line = new Widget();
    line.addClass('lumos-proposals-line');
    line.node.append(this.words, ...this.buttons, this.dismiss);
    this.addWidget(line);
    this.trans = trans;
    this.hide();
  }

  private readonly trans: TranslationBundle;
  private readonly sizes = new ResizeObserver(() => this.settle());

  /** Says how many wait; none: it goes. */
  count(n: number): void {
    for (const node of this.buttons) node.hidden = false;
    this.dismiss.hidden = true;
    this.words.textContent = n ? this.trans._n('%1 proposed change', '%1 proposed changes', n) : '';
    this.setHidden(!n);
  }

  /** Says a word, until it is dismissed. */
  say(text: string): void {
    for (const node of this.buttons) node.hidden = true;
    this.dismiss.hidden = false;
    this.words.textContent = text;
    this.show();
  }

  protected onAfterAttach(): void {
    this.sizes.observe(this.node);
    for (const { node } of this.widgets) this.sizes.observe(node);
  }

  protected onChildAdded(msg: Widget.ChildMessage): void {
    super.onChildAdded(msg);
    this.sizes.observe(msg.child.node);
  }

  protected onChildRemoved(msg: Widget.ChildMessage): void {
    super.onChildRemoved(msg);
    this.sizes.unobserve(msg.child.node);
    this.settle();
  }

  /** Takes the height that its content has: what surrounds it lays out by least heights. */
  private settle(): void {
    const height = this.widgets.reduce((sum, { node }) => sum + node.offsetHeight + 1, 0);
    const least = `${height}px`;
    if (this.isHidden || this.node.style.minHeight === least) return;
    this.node.style.minHeight = least;
    this.parent?.fit();
  }

  focus(): void {
    this.buttons[0].focus();
  }
}
