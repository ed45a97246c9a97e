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
    today(status, trans),
    status.tape ? trans.__('tape: %1', status.tape) : '',
    status.n_running ? trans.__('%1 running', status.n_running) : '',
    status.n_waiting ? trans.__('%1 waiting for you', status.n_waiting) : '',
  ].filter((part) => part);
}

/** What was spent today against the budget; a price that nobody knows is said, never counted as nothing. */
function today({ budget_usd, today_usd, n_unknown_today }: Status, trans: TranslationBundle): string {
  if (budget_usd === null) return '';
  const spent = n_unknown_today
    ? trans._n('%2 and %1 run of unknown cost', '%2 and %1 runs of unknown cost', n_unknown_today, price(today_usd))
    : price(today_usd);
  return trans.__('%1 of %2 today', spent, price(budget_usd));
}
