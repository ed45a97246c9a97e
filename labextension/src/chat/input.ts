// Where a person writes: Enter sends, Shift+Enter begins a line.

import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { button, element } from '../elements';

export class Input extends Widget {
  private readonly area = document.createElement('textarea');
  private readonly problem = element('div', 'lumos-bad');
  private readonly sendButton: HTMLButtonElement;
  private readonly stopButton: HTMLButtonElement;
  private isBusy = false;

  constructor(
    private readonly trans: TranslationBundle,
    /** Takes what was written; returns what is wrong with it, or nothing. */
    private readonly send: (text: string) => Promise<string>,
    stop: () => void,
  ) {
    super();
    this.addClass('lumos-input-box');
    this.node.dataset.lmSuppressShortcuts = 'true';
    this.area.rows = 2;
    this.area.onkeydown = (event) => {
      if (event.isComposing || event.key !== 'Enter' || event.shiftKey) return;
      event.preventDefault();
      void this.submit();
    };
    this.area.oninput = () => this.grow();
    this.problem.setAttribute('role', 'alert');
    this.sendButton = button(trans.__('Send'), () => this.submit());
    this.stopButton = button(trans.__('Stop'), stop);
    this.node.append(this.problem, this.area, element('div', 'lumos-chat-buttons', this.sendButton, this.stopButton));
    this.setState('gone');
  }

  /** Says whether something runs, that is steered, or nothing, or there is nobody to speak to. */
  setState(state: 'ready' | 'running' | 'gone'): void {
    const label = state === 'running' ? this.trans.__('Say something while it works') : this.trans.__('Ask the agent');
    this.area.placeholder = label;
    this.area.setAttribute('aria-label', label);
    this.area.disabled = this.sendButton.disabled = state === 'gone';
    this.stopButton.hidden = state !== 'running';
  }

  /** Says a problem; empty takes it back. */
  say(problem: string): void {
    this.problem.textContent = problem;
  }

  focus(): void {
    this.area.focus();
  }

  private async submit(): Promise<void> {
    const text = this.area.value;
    if (this.isBusy || !text.trim()) return;
    this.isBusy = true;
    this.say('');
    try {
      const problem = await this.send(text);
      this.say(problem);
      if (!problem && this.area.value === text) this.area.value = '';
      this.grow();
    } finally {
      this.isBusy = false;
    }
  }

  private grow(): void {
    this.area.rows = Math.min(10, Math.max(2, this.area.value.split('\n').length));
  }
}
