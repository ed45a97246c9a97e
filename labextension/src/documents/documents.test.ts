import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { RenderMimeRegistry, standardRendererFactories } from '@jupyterlab/rendermime';
import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import runs from '../../../tests/samples/lab/runs.json';
import { drawn } from './draw';
import { readTape } from './lines';

const registry = new RenderMimeRegistry({ initialFactories: standardRendererFactories });
const draw = (text: string, isTape = false) => drawn(registry, nullTranslator.load('lumos_nb'), text, isTape);
const SAMPLES = join(__dirname, '../../../tests/samples/tapes/v1');

describe('a document', () => {
  it('is what its fields say: a run, several, a trace, a thread', () => {
    const run = runs[0].doc;
    const trace = { v: 1, spans: [{ span_id: 'a', start_ns: 0, end_ns: 1e9, op: 'chat', name: 'chat m' }] };
    const thread = { v: 1, title: 't', messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }] };
    const kinds = (data: unknown) => draw(JSON.stringify(data)).map((one) => one.node.className.split(' ')[1]);
    expect(kinds(run)).toEqual(['lumos-run']);
    expect(kinds({ runs: [run, run] })).toEqual(['lumos-run', 'lumos-run']);
    expect(kinds(trace)).toEqual(['lumos-trace']);
    expect(kinds(thread)).toEqual(['lumos-run']);
  });

  it('says what is wrong with a file that is none', () => {
    expect(draw('{')[0].node.textContent).toContain('not JSON');
    expect(draw('7')[0].node.textContent).toContain('neither a run nor a trace');
    expect(draw('[]')[0].node.textContent).toContain('no run');
  });
});

describe('a tape', () => {
  it('of the samples is read whole', () => {
    const text = readFileSync(join(SAMPLES, 'openai-chat.tape.jsonl'), 'utf-8');
    const { header, rows } = readTape(text);
    expect(header.v).toBe(1);
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.filter((row) => row.kind === 'broken')).toEqual([]);
  });

  it('shows the rest where a line is broken', () => {
    const lines = [
      '{"k":"tape","v":1,"notebook":"a.ipynb"}',
      '{"k":"request","i":0,"url":"https://a/b","method":"POST","body":{"model":"m"}}',
      '{"k":"chunk","i":0,"t":0.5,"text":"Hel"}',
      '{broken',
      '{"k":"chunk","i":0,"t":0.7,"text":"lo"}',
      '{"k":"end","i":0,"t":1.25,"how":"complete"}',
      '{"k":"tool","i":1,"name":"rows","arguments":{},"result":{"content":"3"}}',
      'null',
    ];
    const { rows } = readTape(lines.join('\n'));
    expect(rows.map((row) => row.kind)).toEqual(['broken', 'model', 'tool', 'broken']);
    expect(rows[1].parts.find((part) => part.label === 'Answer')?.text).toBe('Hello');
    expect(draw(lines.join('\n'), true)[0].node.textContent).toContain('2 lines cannot be read');
  });
});
