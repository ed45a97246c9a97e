// What a page says of a run: the words of `lumos_nb/widgets/words.py`, held to them by shared samples.
//
// One idea: the live view, the saved HTML and this view say the same thing in the same words.

import { count, number, price, seconds } from '../phrases';
import type { RunDocument, ToolItem } from './document';
import { dumps, parsed } from './json';

const MARKS: Record<string, string> = { completed: '✓', failed: '✗', cancelled: '-', running: '·' };
const STATES: Record<string, string> = {
  running: 'running',
  waiting: 'waiting for you',
  denied: 'denied',
  cancelled: 'stopped',
};
const DECISIONS: Record<string, string> = {
  allow: 'allowed by {}',
  allow_thread: 'allowed in this thread',
  edit: 'changed by {}',
  deny: 'denied by {}',
};
const CUT_SHORT: Record<string, string> = {
  length: "cut at the model's limit of length",
  max_steps: 'stopped at max_steps',
  content_filter: "stopped by the vendor's content filter",
};

export const ASK_AGAIN = 'Run %agent resume to be asked again.';

/** Agent, model and thread, as far as they are known. */
export function title(doc: RunDocument): string[] {
  return [doc.agent, doc.model, doc.thread && `thread ${doc.thread}`].filter(Boolean);
}

/** The parts of the line under a finished run. */
export function summary(doc: RunDocument): string[] {
  const others = doc.in_place_of.filter((model) => model !== doc.model);
  const { input, output } = doc.usage;
  const shown = [
    { failed: 'Failed', cancelled: 'Stopped' }[doc.status] ?? '',
    count(doc.n_steps, 'step'),
    doc.n_tool_calls ? count(doc.n_tool_calls, 'tool') : '',
    input || output ? `${number(input)} in, ${number(output)} out` : '',
    doc.tokens_per_s ? `${number(doc.tokens_per_s)} tok/s` : '',
    doc.ttft_s !== null ? `first token ${seconds(doc.ttft_s)}` : '',
    price(doc.cost_usd),
    seconds(doc.duration_s),
    doc.n_retries === 0 ? '' : doc.n_retries === 1 ? 'retried once' : `retried ${number(doc.n_retries)} times`,
    replayed(doc),
    others.length ? `in place of ${others.join(', ')}` : '',
    doc.thread,
    CUT_SHORT[doc.stop_reason] ?? '',
  ].filter(Boolean);
  return [`${MARKS[doc.status] ?? '·'} ${shown[0]}`, ...shown.slice(1)];
}

function replayed({ n_replayed: n, n_steps }: RunDocument): string {
  return n === 0 ? '' : n >= n_steps ? 'replayed' : `${number(n)} of ${number(n_steps)} replayed`;
}

/** Why a run failed and what to do about it; nothing for one that did not. */
export function failure(doc: RunDocument): string {
  return doc.error && doc.status === 'failed' ? `${doc.error.message} ${doc.error.hint}`.trim() : '';
}

/** How a tool call stands. */
export function toolState(item: ToolItem): string {
  const mark = { ok: '✓', error: '✗' }[item.status];
  if (mark) return `${mark} ${seconds(item.duration_s)}`.trimEnd();
  if (isUnanswered(item)) return 'was waiting for you';
  if (item.status === 'running' && item.state) return item.state;
  return STATES[item.status] ?? item.status;
}

/** Whether the run ended while this call waited for an answer. */
export function isUnanswered(item: ToolItem): boolean {
  return item.status === 'cancelled' && item.question !== null;
}

/** What was decided about a tool call, and by whom; nothing for one that did not have to wait. */
export function decision(item: ToolItem): string {
  const made = item.decision;
  if (!made) return '';
  const text = (DECISIONS[made.decision] ?? '{}').replace('{}', () => (made.by === 'person' ? 'you' : made.by));
  return made.reason ? `${text}: ${made.reason}` : text;
}

/** How a tool call stands and what was decided about it, on one line. */
export function outcome(item: ToolItem, width = 120): string {
  const decided = oneLine(decision(item), width);
  if (item.status === 'denied') return decided || toolState(item);
  return decided ? `${toolState(item)}, ${decided}` : toolState(item);
}

/** The arguments of a call by name, or null where the model wrote no such thing. */
export function namedArguments(text: string): Record<string, unknown> | null {
  const value = parsed(text || '{}');
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

/** The arguments on one line: the first text bare, the others by name. */
export function shortArguments(text: string, width = 100): string {
  const named = text.length > 1_000_000 ? null : namedArguments(text); // of what is huge the beginning will do
  if (named === null) return oneLine(text, width);
  const parts = Object.entries(named)
    .slice(0, width)
    .map(([name, value], i) => {
      if (i === 0 && typeof value === 'string') return oneLine(value, 60);
      return `${name}=${oneLine(typeof value === 'string' ? value : dumps(value), 40)}`;
    });
  return oneLine(parts.join(', '), width);
}

/** The first line of a text, cut to a width in characters. */
export function oneLine(text: string, width: number): string {
  const start = text.trimStart();
  const end = start.indexOf('\n');
  const first = end < 0 ? start.trimEnd() : start.slice(0, end);
  const letters = [...first.slice(0, 2 * width + 2)]; // a character is one or two units
  const cut = letters.length <= width ? first : letters.slice(0, width - 1).join('');
  return cut + ((end >= 0 && start.slice(end + 1).trim()) || cut !== first ? '…' : '');
}

/** How long the model thought; "Thinking" while it does. */
export function reasoningState(duration_s: number | null): string {
  return duration_s === null ? 'Thinking' : `Thought for ${seconds(duration_s)}`;
}
