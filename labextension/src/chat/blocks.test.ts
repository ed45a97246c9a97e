import { describe, expect, it } from 'vitest';

import { asCell, sources, textOf } from './blocks';

describe('what becomes cells', () => {
  it('takes the blocks that a notebook can run', () => {
    const text = [
      'First:',
      '```python',
      'a = 1',
      '```',
      'then',
      '~~~',
      'b = "```"',
      '~~~',
      '```json',
      '{}',
      '```',
      '```sh',
      'ls',
      '```',
    ].join('\n');
    expect(sources(text)).toEqual(['a = 1', 'b = "```"', '%%bash\nls']);
  });

  it('keeps shorter fences within longer ones, and leaves out a block without an end', () => {
    expect(sources('````py\n```\nx\n```\n````\n```python\nopen')).toEqual(['```\nx\n```']);
    expect(sources('no code')).toEqual([]);
  });

  it('reads the text of any document', () => {
    expect(textOf({ items: [{ kind: 'text', text: 'a' }, { kind: 'tool' }, null, { kind: 'text', text: 'b' }] })).toBe(
      'a\n\nb',
    );
    expect([textOf(undefined), textOf({ items: 7 })]).toEqual(['', '']);
    expect(asCell('Go')).toBe('%%agent\nGo');
  });
});
