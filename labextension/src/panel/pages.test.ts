import { describe, expect, it } from 'vitest';

import { Pages } from './pages';

function list(n: number) {
  const asked: number[] = [];
  const rows = Array.from({ length: n }, (_, i) => `row ${i}`);
  const pages = new Pages<string>(async (offset, limit) => {
    asked.push(offset);
    return { rows: rows.slice(offset, offset + limit), n_found: rows.length };
  }, 10);
  const settled = () => new Promise((resolve) => setTimeout(resolve)); // all answers are there
  return { pages, asked, rows, settled };
}

describe('a long list', () => {
  it('fetches the pages in view, once', async () => {
    const { pages, asked, settled } = list(10_000);
    pages.want(0, 12);
    await settled();
    pages.want(5, 14);
    await settled();
    expect(asked).toEqual([0, 10]);
    expect([pages.row(12), pages.row(500), pages.total]).toEqual(['row 12', undefined, 10_000]);
  });

  it('keeps what stands there until the answer to a later question', async () => {
    const { pages, rows, settled } = list(30);
    pages.want(0, 5);
    await settled();
    rows.unshift('new');
    pages.refresh();
    expect(pages.row(0)).toBe('row 0');
    await settled();
    expect([pages.row(0), pages.total]).toEqual(['new', 31]);
  });

  it('forgets pages that a later question has not fetched', async () => {
    const { pages, settled } = list(100);
    pages.want(50, 55);
    await settled();
    pages.restart();
    await settled();
    expect([pages.row(0), pages.row(50)]).toEqual(['row 0', undefined]);
  });

  it('takes only the answer to the last question', async () => {
    const answers: ((rows: string[]) => void)[] = [];
    const pages = new Pages<string>(
      () => new Promise((resolve) => answers.push((rows) => resolve({ rows, n_found: rows.length }))),
    );
    pages.want(0, 1);
    pages.refresh();
    answers[1](['second']);
    answers[0](['first']);
    await Promise.resolve();
    await new Promise((resolve) => setTimeout(resolve));
    expect(pages.row(0)).toBe('second');
  });

  it('says why it has nothing, and asks again when it is wanted again', async () => {
    let fails = true;
    const pages = new Pages<string>(async () => {
      if (fails) throw new Error('The kernel does not answer.');
      return { rows: ['row'], n_found: 1 };
    });
    const seen: (string | null)[] = [];
    pages.changed.connect(() => seen.push(pages.problem?.message ?? null));
    pages.want(0, 1);
    await new Promise((resolve) => setTimeout(resolve));
    fails = false;
    pages.want(0, 1);
    await new Promise((resolve) => setTimeout(resolve));
    expect(seen).toEqual(['The kernel does not answer.', null]);
  });
});
