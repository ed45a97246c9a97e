// What was spent, against what a day should cost.

import React, { useEffect, useState } from 'react';

import type { Budget as Found, Spent } from '../protocol';
import { type Shown, useChanged } from './shown';
import { money } from './words';

export function Budget({ shown }: { shown: Shown }): JSX.Element | null {
  const { link, trans } = shown;
  const [found, setFound] = useState<Found | null>(null);
  const look = () => link.ask('budget', {}).then(setFound, () => setFound(null));
  useEffect(() => void look(), [link]);
  useChanged(shown, ['runs', 'status'], () => void look());
  if (!found) return null;
  const { budget_usd: budget, today } = found;
  const isOver = budget !== null && today.usd > budget;
  return (
    <section className="lumos-budget" aria-label={trans.__('What was spent')}>
      <div className="lumos-line">
        <span className="lumos-title">
          {budget === null
            ? trans.__('Today %1', spent(today, trans))
            : trans.__('Today %1 of %2', spent(today, trans), money(budget, trans))}
        </span>
        {isOver ? <span className="lumos-bad">{trans.__('over budget')}</span> : null}
      </div>
      {budget !== null ? (
        <meter
          min={0}
          max={Math.max(budget, 1e-9)}
          high={Math.max(budget * 0.8, 1e-9)}
          value={Math.min(today.usd, budget)}
          aria-label={trans.__('Spent of the budget of a day')}
          title={trans.__('A budget stops no run. --max-cost of a cell stops that run.')}
        />
      ) : null}
      <div className="lumos-soft lumos-wraps">
        {trans.__('Notebook %1', spent(found.notebook, trans))} · {trans.__('thread %1', spent(found.thread, trans))}
      </div>
      {budget !== null ? <div className="lumos-soft lumos-wraps">{trans.__('A budget stops no run.')}</div> : null}
    </section>
  );
}

function spent({ usd, n_runs, n_unknown }: Spent, trans: Shown['trans']): string {
  if (n_unknown === 0) return money(usd, trans);
  if (n_unknown === n_runs) return trans._n('unknown (%1 run)', 'unknown (%1 runs)', n_unknown);
  return trans._n('%2 and %1 run of unknown cost', '%2 and %1 runs of unknown cost', n_unknown, money(usd, trans));
}
