import { markdown } from '@codemirror/lang-markdown';
import { python } from '@codemirror/lang-python';
import { highlightTree, tagHighlighter, tags } from '@lezer/highlight';
import { describe, expect, it } from 'vitest';

import { agentLanguage } from './language';

const language = agentLanguage(markdown().language, python().language);
const SEEN = tagHighlighter([
  { tag: tags.meta, class: 'magic' },
  { tag: tags.definition(tags.name), class: 'agent' },
  { tag: tags.keyword, class: 'option' },
  { tag: tags.string, class: 'value' },
  { tag: tags.heading1, class: 'heading' },
  { tag: tags.strong, class: 'strong' },
  { tag: tags.variableName, class: 'name' },
  { tag: tags.number, class: 'number' },
]);

function seen(source: string): [string, string][] {
  const found: [string, string][] = [];
  highlightTree(language.language.parser.parse(source), SEEN, (from, to, classes) =>
    found.push([source.slice(from, to), classes]),
  );
  return found;
}

describe('the language of an agent’s cell', () => {
  it('shows the magic, Markdown and Python, each as what it is', () => {
    const found = seen("%%agent analyst -t 'my sales'\n# Head\nOf **all** {{ orders[3] }} and `{{ more }}`.");
    for (const each of [
      ['%%agent', 'magic'],
      ['analyst', 'agent'],
      ['-t', 'option'],
      ["'my sales'", 'value'],
      ['orders', 'name'],
      ['3', 'number'],
    ])
      expect(found).toContainEqual(each);
    expect(found.some(([text, kind]) => text.includes('Head') && kind.includes('heading'))).toBe(true);
    expect(found.some(([text, kind]) => text === 'all' && kind.includes('strong'))).toBe(true);
    expect(found.some(([text, kind]) => text === 'more' && kind.includes('name'))).toBe(true);
  });

  it('takes no line of dashes for a heading made of the magic, and single braces for text', () => {
    expect(seen('%%agent analyst\n===\nA {b} c').map(([, kind]) => kind)).toEqual(['magic', 'agent']);
  });

  it('holds on to a prompt that ends in the middle of an expression, or has none', () => {
    expect(seen('%%agent\n{{ orders.')).toContainEqual(['orders', 'name']);
    expect(seen('%%agent')).toEqual([['%%agent', 'magic']]);
  });

  it('reads a prompt of 2,000 lines with 2,000 expressions well', () => {
    const source = '%%agent\n' + 'Count **all** of {{ orders }}.\n'.repeat(2_000);
    expect(language.language.parser.parse(source).length).toBe(source.length);
  });
});
