import { describe, expect, it } from 'vitest';

import type { Status } from '../protocol';
import { statusParts } from './words';

const trans: any = { __: (text: string, ...given: any[]) => text.replace(/%(\d)/g, (_, n) => given[n - 1]) };
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
});
