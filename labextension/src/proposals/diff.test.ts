import { describe, expect, it } from 'vitest';

import { diffLines, folded, type Line } from './diff';

/** A generator of the same numbers each time. */
function random(seed: number): () => number {
  return () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;
}

function text(next: () => number): string {
  return Array.from({ length: Math.floor(next() * 12) }, () => 'abcd'[Math.floor(next() * 4)]).join('\n');
}

const side = (lines: Line[], not: string) =>
  lines
    .filter(({ kind }) => kind !== not)
    .map((line) => line.text)
    .join('\n');

describe('a diff', () => {
  it('has both texts in it, whatever they are', () => {
    const next = random(7);
    for (let n = 0; n < 500; n++) {
      const [before, after] = [text(next), text(next)];
      const lines = diffLines(before, after);
      expect(side(lines, '+')).toBe(before);
      expect(side(lines, '-')).toBe(after);
    }
  });

  it('keeps what can be kept', () => {
    const kinds = diffLines('a\nb\nc\nd', 'a\nc\nd\ne').map(({ kind }) => kind);
    expect(kinds.join('')).toBe(' -  +');
  });

  it('marks the words that differ in a line that took the place of another', () => {
    const [removed, added] = diffLines('x = load(1)', 'x = load(22)');
    expect(removed.marks.map(([a, b]) => removed.text.slice(a, b))).toEqual(['1']);
    expect(added.marks.map(([a, b]) => added.text.slice(a, b))).toEqual(['22']);
  });

  it('marks no words where two lines have nothing in common', () => {
    expect(diffLines('alpha', 'beta').flatMap(({ marks }) => marks)).toEqual([]);
  });

  it('leaves out what is far from a change, and says how much', () => {
    const before = Array.from({ length: 40 }, (_, i) => `line ${i}`).join('\n');
    const shown = folded(diffLines(before, before.replace('line 20', 'line twenty')));
    expect(shown.map(({ kind, n }) => (kind === 'gap' ? `${n}` : kind)).join(' ')).toBe('17       - +       16');
  });

  it('does not think for long about two long texts that have nothing in common', () => {
    const long = (word: string) => Array.from({ length: 5000 }, (_, i) => `${word} ${i}`).join('\n');
    expect(diffLines(long('a'), long('b'))).toHaveLength(10_000);
  });
});
