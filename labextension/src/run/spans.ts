// The spans of a trace as bars, parents before children, in the order of time.

import { price, seconds } from '../phrases';
import type { Bar } from './bars';
import { text } from './document';
import { dumps } from './json';
import { oneLine } from './words';

export interface Piece {
  label: string;
  text: string;
  note: string;
  is_folded: boolean;
}

interface Span {
  id: string;
  parent: string;
  op: string;
  name: string;
  start: number;
  end: number | null;
  status: string;
  error: string;
  ttft: number | null;
  cost: number | null;
  tokens: string;
  attributes: Record<string, unknown>;
}

const record = (value: unknown) =>
  (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
const num = (value: unknown) => (typeof value === 'number' && isFinite(value) ? value : null);
const KINDS: Record<string, Bar['kind']> = { invoke_agent: 'run', chat: 'model', execute_tool: 'tool' };

/** The bars of a trace; `open` makes of a span's pieces what its bar opens to. */
export function barsOfTrace(trace: unknown, open: (pieces: Piece[]) => (body: HTMLElement) => unknown): Bar[] {
  const { spans, pieces } = record(trace);
  const all = (Array.isArray(spans) ? spans : []).map((one) => span(record(one))).filter((one) => one !== null);
  const began = all.reduce((least, one) => Math.min(least, one.start), Infinity);
  const kept = record(pieces);
  return nested(all).map(({ span, depth }) => {
    const found = Array.isArray(kept[span.id]) ? (kept[span.id] as unknown[]).map(piece) : said(span);
    return {
      label: span.name,
      told: told(span),
      depth,
      start: (span.start - began) / 1e9,
      end: span.end === null ? null : Math.max(0, span.end - began) / 1e9,
      kind: KINDS[span.op] ?? 'wait',
      isBad: span.status === 'error' || span.status === 'denied',
      ttft: span.ttft,
      open: found.length ? open(found) : undefined,
    };
  });
}

function span(found: Record<string, unknown>): Span | null {
  const start = num(found.start_ns);
  if (start === null) return null;
  const usage = record(found.usage);
  const [input, output] = [num(usage.input_tokens) ?? 0, num(usage.output_tokens) ?? 0];
  return {
    id: text(found.span_id),
    parent: text(found.parent_span_id),
    op: text(found.op),
    name: text(found.tool) || text(found.name).replace(/^(chat|execute_tool|invoke_agent) /, '') || text(found.op),
    start,
    end: num(found.end_ns),
    status: text(found.status),
    error: text(found.error_message),
    ttft: num(found.ttft_s),
    cost: num(found.cost_usd),
    tokens: input || output ? `${input.toLocaleString('en-US')} in, ${output.toLocaleString('en-US')} out` : '',
    attributes: record(found.attributes),
  };
}

function piece(value: unknown): Piece {
  const found = record(value);
  const [label, said, note] = [text(found.label), text(found.text), text(found.note)];
  return { label, text: said, note, is_folded: found.is_folded === true };
}

function told(one: Span): string {
  const took = one.end === null ? 'not ended' : seconds(Math.max(0, one.end - one.start) / 1e9);
  const state = one.status === 'ok' ? '' : one.status;
  return [state, took, one.tokens, price(one.cost), oneLine(one.error, 120)].filter(Boolean).join(' · ');
}

/** What a span itself says, where nothing else was kept of it. */
function said(one: Span): Piece[] {
  const found = Object.entries(one.attributes).filter(([, value]) => value !== null && value !== '');
  const pieces = found.map(([label, value]) => ({
    label,
    text: typeof value === 'string' ? value : dumps(value),
    note: '',
    is_folded: false,
  }));
  if (one.error) pieces.unshift({ label: 'Error', text: one.error, note: '', is_folded: false });
  return pieces;
}

/** Spans below those that they are part of. One whose parent is not there, or is itself, stands at the top. */
function nested(all: Span[]): { span: Span; depth: number }[] {
  const ids = new Set(all.map((one) => one.id));
  const below = new Map<string, Span[]>();
  for (const one of [...all].sort((a, b) => a.start - b.start)) {
    const parent = one.parent && one.parent !== one.id && ids.has(one.parent) ? one.parent : '';
    below.set(parent, [...(below.get(parent) ?? []), one]);
  }
  const found: { span: Span; depth: number }[] = [];
  const todo = (below.get('') ?? []).map((span) => ({ span, depth: 0 })).reverse();
  while (todo.length) {
    const next = todo.pop() as { span: Span; depth: number };
    found.push(next);
    const children = below.get(next.span.id) ?? [];
    below.delete(next.span.id); // each is drawn once, whatever its ids claim
    todo.push(...children.map((span) => ({ span, depth: next.depth + 1 })).reverse());
  }
  return found;
}
