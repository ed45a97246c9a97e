import { describe, expect, it } from 'vitest';

import { cellOn, changed, expressions, firstLine, hintAt, isAgentCell, quoted, valueOf } from './firstline';

const apply = (source: string, options: Record<string, string | true | null>) => {
  const change = changed(source, options);
  return change ? source.slice(0, change.from) + change.insert + source.slice(change.to) : source;
};

describe('the first line of a cell', () => {
  it('is an agent’s after blank lines, and never by half a name or in the middle of a cell', () => {
    for (const source of ['%%agent', '\n \n  %%agent a -t x\nGo', '%%agent\nGo'])
      expect(isAgentCell(source)).toBe(true);
    for (const source of ['', '%%agents', '%agent', 'x = 1\n%%agent', '# %%agent', '%%agent-x'])
      expect(isAgentCell(source)).toBe(false);
  });

  it('is read as words of their kinds', () => {
    const line = firstLine("%%agent analyst -t 'my sales' --model=openai/x --new --nope two\nGo -t no")!;
    expect(line.words.map((word) => [word.text, word.is])).toEqual([
      ['%%agent', 'magic'],
      ['analyst', 'agent'],
      ['-t', 'option'],
      ["'my sales'", 'value'],
      ['--model', 'option'],
      ['openai/x', 'value'],
      ['--new', 'option'],
      ['--nope', 'unknown'],
      ['two', 'unknown'],
    ]);
    expect([valueOf(line, '-t'), valueOf(line, '-m'), valueOf(line, '--new'), valueOf(line, '--live')]).toEqual([
      'my sales',
      'openai/x',
      true,
      undefined,
    ]);
  });

  it('is changed where an option is set, replaced or taken away, and nowhere else', () => {
    const source = '\n%%agent analyst  -t sales --model=a/b\nGo -t sales';
    expect(apply(source, { '-t': 'my sales', '--new': null })).toBe(
      "\n%%agent analyst --model=a/b -t 'my sales'\nGo -t sales",
    );
    expect(apply(source, { '-m': null, '--live': true })).toBe('\n%%agent analyst -t sales --live\nGo -t sales');
    expect(changed('%%agent a', { '-t': null })).toBeNull();
    expect(changed('print(1)', { '-t': 'x' })).toBeNull();
  });

  it('gives no option to another that still waits for its value', () => {
    expect(apply('%%agent analyst -t \nGo', { '--dry-run': true })).toBe('%%agent analyst --dry-run -t\nGo');
    expect(apply('%%agent -m', { '--live': true })).toBe('%%agent --live -m');
  });

  it('quotes what a shell would split', () => {
    expect([quoted('sales'), quoted('my sales'), quoted("Ada's"), quoted('$(x)')]).toEqual([
      'sales',
      "'my sales'",
      `'Ada'"'"'s'`,
      "'$(x)'",
    ]);
    for (const title of ['sales', "Ada's own (fork)", '"all"'])
      expect(valueOf(firstLine(cellOn(title))!, '-t')).toBe(title);
  });

  it('says which option a value belongs to, at its beginning, inside and at its end', () => {
    const source = '%%agent a --max-cost 0.5 -o \nGo';
    expect(hintAt(source, 21)?.option.takes).toBe('USD');
    expect(hintAt(source, 24)?.option.takes).toBe('USD');
    expect(hintAt(source, 28)?.option.takes).toBe('NAME[:TYPE]');
    for (const cursor of [0, 5, 9, 15, 30]) expect(hintAt(source, cursor)).toBeNull();
  });

  it('finds expressions in double braces, also one that is still open', () => {
    expect(expressions('a {{ b }} c {{d}}')).toEqual([
      { from: 2, to: 9 },
      { from: 12, to: 17 },
    ]);
    expect(expressions('a {{ b\nc', 10)).toEqual([{ from: 12, to: 16 }]);
    expect(expressions('a { b } }}')).toEqual([]);
  });
});
