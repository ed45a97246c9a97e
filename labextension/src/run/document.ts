// The document of a run, read from JSON that anybody may have written.
//
// One idea: what is missing or of a wrong type becomes what is nothing of it, here and once; whoever draws
// it can rely on every field.

import { dumps } from './json';

export interface Output {
  kind: string;
  text: string;
  data: Record<string, unknown>;
}

export interface ToolItem {
  kind: 'tool';
  name: string;
  arguments: string;
  status: string;
  state: string;
  started_at: number | null;
  duration_s: number | null;
  content: string;
  display: Record<string, unknown>;
  traceback: string;
  output: Output[];
  question: Record<string, unknown> | null;
  decision: { decision: string; by: string; reason: string; asked: string | null } | null;
  open: boolean | null;
}

export interface TextItem {
  kind: 'text' | 'reasoning' | 'user';
  text: string;
  duration_s: number | null;
  open: boolean | null;
}

export type Item = ToolItem | TextItem;

export interface RunDocument {
  v: number;
  run_id: string;
  thread_id: string;
  thread: string;
  agent: string;
  model: string;
  prompt: string;
  status: string;
  started_at: number | null;
  duration_s: number | null;
  ttft_s: number | null;
  tokens_per_s: number | null;
  cost_usd: number | null;
  stop_reason: string;
  usage: { input: number; output: number };
  n_steps: number;
  n_tool_calls: number;
  n_retries: number;
  n_replayed: number;
  in_place_of: string[];
  error: { message: string; hint: string } | null;
  items: Item[];
}

type Found = Record<string, unknown>;

const record = (value: unknown): Found =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Found) : {};
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const num = (value: unknown): number | null => (typeof value === 'number' && isFinite(value) ? value : null);
const flag = (value: unknown): boolean | null => (typeof value === 'boolean' ? value : null);

/** A text, also where a notebook keeps it as a list of lines. */
export function text(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map((line) => (Array.isArray(line) ? '' : text(line))).join('');
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

/** Reads a document; whatever it is, what can be drawn of it comes out. */
export function readDocument(data: unknown): RunDocument {
  const doc = record(data);
  const usage = record(doc.usage);
  return {
    ...numbers(doc),
    v: num(doc.v) ?? 1,
    run_id: text(doc.run_id),
    thread_id: text(doc.thread_id),
    thread: text(doc.thread),
    agent: text(doc.agent),
    model: text(doc.model),
    prompt: text(doc.prompt),
    status: text(doc.status) || 'running',
    stop_reason: text(doc.stop_reason),
    usage: { input: num(usage.input_tokens) ?? 0, output: num(usage.output_tokens) ?? 0 },
    in_place_of: list(doc.in_place_of).map(text),
    error: doc.error ? { message: text(record(doc.error).message), hint: text(record(doc.error).hint) } : null,
    items: list(doc.items).flatMap((one) => item(record(one)) ?? []),
  };
}

function numbers(doc: Found) {
  return {
    started_at: num(doc.started_at),
    duration_s: num(doc.duration_s),
    ttft_s: num(doc.ttft_s),
    tokens_per_s: num(doc.tokens_per_s),
    cost_usd: num(doc.cost_usd),
    n_steps: num(doc.n_steps) ?? 0,
    n_tool_calls: num(doc.n_tool_calls) ?? 0,
    n_retries: num(doc.n_retries) ?? 0,
    n_replayed: num(doc.n_replayed) ?? 0,
  };
}

function item(found: Found): Item | null {
  const kind = found.kind;
  if (kind === 'text' || kind === 'reasoning' || kind === 'user')
    return { kind, text: text(found.text), duration_s: num(found.duration_s), open: flag(found.open) };
  return kind === 'tool' ? tool(found) : null; // a kind of a later version
}

function tool(found: Found): ToolItem {
  return {
    kind: 'tool',
    name: text(found.name),
    arguments: typeof found.arguments === 'object' ? dumps(found.arguments) : text(found.arguments),
    status: text(found.status),
    state: text(found.state),
    started_at: num(found.started_at),
    duration_s: num(found.duration_s),
    content: text(found.content),
    display: record(found.display),
    traceback: text(found.traceback),
    output: list(found.output).map((one) => {
      const output = record(one);
      return { kind: text(output.kind), text: text(output.text), data: record(output.data) };
    }),
    question: found.question ? record(found.question) : null,
    decision: found.decision ? decided(record(found.decision)) : null,
    open: flag(found.open),
  };
}

function decided(found: Found) {
  const asked = found.asked === undefined || found.asked === null ? null : text(found.asked);
  return { decision: text(found.decision), by: text(found.by), reason: text(found.reason), asked };
}
