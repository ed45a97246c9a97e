// The line in the status bar: which model and thread a cell would use, what was spent, what runs.

import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { button } from '../elements';
import type { Status } from '../protocol';
import { statusParts } from './words';

export class StatusLine extends Widget {
  private readonly button: HTMLButtonElement;

  constructor(
    private readonly trans: TranslationBundle,
    onClick: (box: DOMRect) => void,
  ) {
    super();
    this.addClass('lumos-status');
    this.button = button('', () => onClick(this.button.getBoundingClientRect()), '', '');
    this.button.setAttribute('aria-haspopup', 'true');
    this.node.append(this.button);
  }

  show_(status: Status | null): void {
    const parts = status ? statusParts(status, this.trans) : [];
    this.button.textContent = parts.join(' · ');
    this.button.title = status
      ? this.trans.__('Agent %1, model %2, thread %3', status.agent, status.model || '-', status.thread || '-')
      : '';
  }
}
