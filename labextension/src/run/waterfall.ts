// A run's document on an axis of time, as far as its tool calls say when they were.

import type { Bar } from './bars';
import type { RunDocument, ToolItem } from './document';
import { oneLine, shortArguments, toolState } from './words';

/** The bars of a run; none where its document has no times. */
export function barsOf(doc: RunDocument): Bar[] {
  const began = doc.started_at;
  const tools = doc.items.filter((item): item is ToolItem => item.kind === 'tool' && item.started_at !== null);
  if (began === null || !tools.length) return [];
  const whole = { label: doc.agent || 'run', told: '', depth: 0, start: 0, end: doc.duration_s };
  const bars = tools.map((item): Bar => {
    const start = Math.max(0, (item.started_at as number) - began);
    return {
      label: item.name,
      told: `${oneLine(shortArguments(item.arguments), 40)} ${toolState(item)}`.trim(),
      depth: 1,
      start,
      end: item.duration_s === null ? null : start + item.duration_s,
      kind: 'tool',
      isBad: item.status === 'error' || item.status === 'denied',
    };
  });
  return [{ ...whole, kind: 'run', isBad: doc.status === 'failed' }, ...bars];
}
