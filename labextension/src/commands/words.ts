// How the notebook stands, in words.

import type { TranslationBundle } from '@jupyterlab/translation';

import type { Status } from '../protocol';

/** What the status bar says, most lasting first. */
export function statusParts(status: Status, trans: TranslationBundle): string[] {
  const model = status.model.slice(status.model.indexOf('/') + 1);
  return [
    model || trans.__('no model'),
    status.thread,
    status.cost_usd > 0 ? dollars(status.cost_usd) : '',
    status.budget_usd === null ? '' : trans.__('%1 of %2 today', dollars(status.today_usd), dollars(status.budget_usd)),
    status.tape ? trans.__('tape: %1', status.tape) : '',
    status.n_running ? trans.__('%1 running', status.n_running) : '',
    status.n_waiting ? trans.__('%1 waiting for you', status.n_waiting) : '',
  ].filter((part) => part);
}

/** A cost, as the cells say it. */
export function dollars(usd: number): string {
  if (usd === 0 || usd >= 0.1) return `$${usd.toFixed(2)}`;
  return usd >= 0.0001 ? `$${Number(usd.toPrecision(2))}` : '<$0.0001';
}
