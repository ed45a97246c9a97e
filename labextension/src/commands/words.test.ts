import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import type { Status } from '../protocol';
import { statusParts } from './words';

const trans = nullTranslator.load('lumos_nb');
const STATUS: Status = {
  version: '1',
  notebook: 'a.ipynb',
  agent: 'analyst',
  model: 'openrouter/openai/gpt',
  thread_id: 't',
  thread: 'sales',
  n_running: 0,
  n_waiting: 0,
  cost_usd: 0,
  today_usd: 0,
  n_unknown_today: 0,
  budget_usd: null,
  tape: '',
};

describe('the status bar', () => {
  it('says model and thread, and leaves out what is not', () => {
    expect(statusParts(STATUS, trans)).toEqual(['openai/gpt', 'sales']);
    expect(statusParts({ ...STATUS, model: '', thread: '' }, trans)).toEqual(['no model']);
  });

  it('says cost, budget, tape, and what runs and waits', () => {
    const busy = {
      ...STATUS,
      cost_usd: 0.0042,
      today_usd: 0.3,
      budget_usd: 2,
      tape: 'replay',
      n_running: 2,
      n_waiting: 1,
    };
    expect(statusParts(busy, trans).slice(2)).toEqual([
      '$0.0042',
      '$0.30 of $2.00 today',
      'tape: replay',
      '2 running',
      '1 waiting for you',
    ]);
  });

  it('never counts a cost that nobody knows as nothing', () => {
    const said = statusParts({ ...STATUS, budget_usd: 2, n_unknown_today: 1 }, trans).at(-1);
    expect(said).toBe('$0.00 and 1 run of unknown cost of $2.00 today');
  });
});
