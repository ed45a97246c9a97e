import { describe, expect, it } from 'vitest';

import samples from '../../../tests/samples/lab/runs.json';
import { readDocument, type ToolItem } from './document';
import { markdownOf } from './plain';
import * as words from './words';

describe.each(samples.map((sample, i) => [i, sample] as const))('the words for run %i', (_, sample) => {
  const doc = readDocument(sample.doc);
  const tools = doc.items.filter((item): item is ToolItem => item.kind === 'tool');

  it('are those of the kernel', () => {
    expect(words.title(doc)).toEqual(sample.title);
    expect(words.summary(doc)).toEqual(sample.summary);
    expect(words.failure(doc)).toEqual(sample.failure);
    expect(tools.map(words.toolState)).toEqual(sample.states);
    expect(tools.map(words.decision)).toEqual(sample.decisions);
    expect(tools.map((item) => words.outcome(item))).toEqual(sample.outcomes);
    expect(markdownOf(doc)).toEqual(sample.markdown);
  });

  it('are those of the kernel for arguments and reasoning', () => {
    const reasoning = doc.items.filter((item) => item.kind === 'reasoning');
    expect(reasoning.map((item) => words.reasoningState('duration_s' in item ? item.duration_s : null))).toEqual(
      sample.reasoning,
    );
    expect(tools.map((item) => words.shortArguments(item.arguments))).toEqual(sample.arguments);
  });
});
