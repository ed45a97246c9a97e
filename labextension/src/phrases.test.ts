import { describe, expect, it } from 'vitest';

import samples from '../../tests/samples/lab/phrases.json';
import { count, price, seconds, size } from './phrases';

describe('a phrase', () => {
  it('is that of the kernel', () => {
    for (const [value, said] of samples.seconds) expect(seconds(value as number | null)).toBe(said);
    for (const [value, said] of samples.price) expect(price(value as number | null)).toBe(said);
    for (const [value, said] of samples.size) expect(size(value as number)).toBe(said);
    for (const [value, said] of samples.count) expect(count(value as number, 'step')).toBe(said);
  });
});
