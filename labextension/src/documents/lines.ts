// The lines of a tape as what they belong to: interactions with a model, calls of tools, lines that are broken.

export interface Row {
  kind: 'model' | 'tool' | 'broken';
  i: number;
  head: string;
  told: string;
  isBad: boolean;
  parts: { label: string; text: string }[];
}

export interface Tape {
  header: Record<string, unknown>;
  rows: Row[];
}

interface Gathered {
  request?: any;
  response?: any;
  end?: any;
  text: string;
  n: number;
  first: number | null;
}

/** Reads a tape; a line that cannot be read is a row that says so, and the rest is there. */
export function readTape(text: string): Tape {
  const tape: Tape = { header: {}, rows: [] };
  const open = new Map<number, Gathered>();
  for (const [n, line] of text.split('\n').entries()) {
    if (!line.trim()) continue;
    try {
      take(JSON.parse(line), tape, open);
    } catch (error) {
      const said = `${(error as Error).message}\n\n${line.slice(0, 2000)}`;
      tape.rows.push(broken(n + 1, said));
    }
  }
  for (const [i, gathered] of open) tape.rows.push(rowOf(i, gathered));
  return tape;
}

function take(line: any, tape: Tape, open: Map<number, Gathered>): void {
  const i = Number(line.i);
  const now = open.get(i) ?? { text: '', n: 0, first: null };
  if (line.k === 'tape') tape.header = line;
  else if (line.k === 'tool') tape.rows.push(toolRow(line));
  else if (line.k === 'request') open.set(i, { ...now, request: line });
  else if (line.k === 'response') open.set(i, { ...now, response: line });
  else if (line.k === 'chunk') {
    now.text += typeof line.text === 'string' ? line.text : '�';
    now.n += 1;
    now.first ??= Number(line.t);
    open.set(i, now);
  } else if (line.k === 'end') {
    open.delete(i);
    tape.rows.push(rowOf(i, { ...now, end: line }));
  } else throw new Error(`A line of the kind ${JSON.stringify(line.k)} is not known here.`);
}

function rowOf(i: number, { request, response, end, text, n, first }: Gathered): Row {
  const took = end ? `${Number(end.t).toFixed(2)} s` : 'not ended';
  const how = end?.how && end.how !== 'complete' ? String(end.how) : '';
  const status = response ? String(response.status) : 'no answer';
  const timing = [`${n} reads`, first === null ? '' : `the first after ${first.toFixed(2)} s`, took];
  const parts = [
    { label: 'Request', text: json(request?.body) || String(request?.body64 ?? '') },
    { label: 'Headers', text: json(request?.headers) },
    { label: 'Answer', text },
    { label: 'Error', text: json(end?.error) },
    { label: 'Timing', text: timing.filter(Boolean).join(', ') },
  ];
  const model = request?.body?.model ? `${request.body.model} ` : '';
  const attempt = Number(request?.attempt ?? 1) > 1 ? `attempt ${request.attempt}` : '';
  return {
    kind: 'model',
    i,
    head: model || `${request?.method ?? ''} ${request?.url ?? ''}`.trim() || `Interaction ${i}`,
    told: [model && request?.url, attempt, status, how, took].filter(Boolean).join(' · '),
    isBad: !end || !!end.error || Number(response?.status ?? 0) >= 400 || !response,
    parts: parts.filter((part) => part.text),
  };
}

function toolRow(line: any): Row {
  const printed = (Array.isArray(line.output) ? line.output : []).map((one: any) => String(one?.[1] ?? '')).join('');
  const parts = [
    { label: 'Arguments', text: json(line.arguments) },
    { label: 'Result', text: String(line.result?.content ?? '') || json(line.result) },
    { label: 'Output', text: printed },
  ];
  const told = ['tool', line.t ? `${Number(line.t).toFixed(2)} s` : ''].filter(Boolean).join(' · ');
  const isBad = !!line.result?.error_type;
  return {
    kind: 'tool',
    i: Number(line.i),
    head: String(line.name ?? 'tool'),
    told,
    isBad,
    parts: parts.filter((one) => one.text),
  };
}

function broken(n: number, said: string): Row {
  const told = 'this line cannot be read';
  return { kind: 'broken', i: -1, head: `Line ${n}`, told, isBad: true, parts: [{ label: 'Line', text: said }] };
}

const json = (value: unknown) =>
  value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);
