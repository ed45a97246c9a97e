// An exported thread as a run's document: what was said in it, and which tools were called.

import { text } from '../run/document';

/** Turns `{"title", "messages": […]}` into a document that a run's renderer draws. */
export function runOfThread(thread: any): Record<string, unknown> {
  const items: Record<string, unknown>[] = [];
  const calls = new Map<string, Record<string, unknown>>();
  for (const message of Array.isArray(thread.messages) ? thread.messages : []) {
    const content = message?.content;
    for (const part of Array.isArray(content) ? content : [{ type: 'text', text: content }])
      add(items, calls, String(message?.role), part ?? {});
  }
  const n_tool_calls = items.filter((item) => item.kind === 'tool').length;
  const title = text(thread.title);
  return { v: 1, run_id: '', agent: '', thread: title, status: 'completed', n_tool_calls, items };
}

function add(items: Record<string, unknown>[], calls: Map<string, Record<string, unknown>>, role: string, part: any) {
  const kind = { user: 'user', assistant: 'text', system: 'reasoning' }[role] ?? 'text';
  if (part.type === 'reasoning') items.push({ kind: 'reasoning', text: text(part.text), duration_s: null });
  else if (part.type === 'tool_call') {
    const call = { kind: 'tool', name: part.name, arguments: part.arguments, status: 'ok', output: [], display: {} };
    calls.set(text(part.id), call);
    items.push(call);
  } else if (part.type === 'tool_result') {
    const call = calls.get(text(part.call_id ?? part.id));
    const { display, traceback } = part;
    const status = part.is_error ? 'error' : 'ok';
    Object.assign(call ?? {}, { content: text(part.content), status, display, traceback });
  } else if (text(part.text)) items.push({ kind, text: text(part.text) });
}
