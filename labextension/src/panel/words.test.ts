import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import { money, tokens, waiting, when } from './words';

const trans = nullTranslator.load('lumos_nb');

describe('what the panel says', () => {
  it('never says that an unknown cost is nothing', () => {
    expect([null, 0, 0.25].map((usd) => money(usd, trans))).toEqual(['cost unknown', '$0.00', '$0.25']);
  });

  it('says times and counts in short', () => {
    expect([12, 1500, 25_000, 2_500_000].map(tokens)).toEqual(['12', '1.5k', '25k', '2.5M']);
    expect([-3, 8.9, 70].map(waiting)).toEqual(['0:00', '0:08', '1:10']);
    expect([10, 130, 7300].map((ago) => when(1000 - ago, trans, 1000))).toEqual(['just now', '2 min ago', '2 h ago']);
  });
});
