// How the notebook stands, in words.

import type { TranslationBundle } from '@jupyterlab/translation';

import { price } from '../phrases';
import type { Status } from '../protocol';

/** What the status bar says, most lasting first. */
export function statusParts(status: Status, trans: TranslationBundle): string[] {
  const model = status.model.slice(status.model.indexOf('/') + 1);
  return [
    model || trans.__('no model'),
    status.thread,
    status.cost_usd > 0 ? price(status.cost_usd) : '',
    status.budget_usd === null ? '' : trans.__('%1 of %2 today', price(status.today_usd), price(status.budget_usd)),
    status.tape ? trans.__('tape: %1', status.tape) : '',
    status.n_running ? trans.__('%1 running', status.n_running) : '',
    status.n_waiting ? trans.__('%1 waiting for you', status.n_waiting) : '',
  ].filter((part) => part);
}
