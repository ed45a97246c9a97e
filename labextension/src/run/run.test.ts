import { RenderMimeRegistry, standardRendererFactories } from '@jupyterlab/rendermime';
import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import sampleTrace from '../../../tests/samples/lab/trace.json';
import samples from '../../../tests/samples/lab/runs.json';
import { RUN_MIME, TRACE_MIME } from '../protocol';
import { readDocument } from './document';
import { chunks, prepared } from './markdown';
import { RenderedRun } from './renderer';
import { QuietSanitizer } from './sanitizer';
import { barsOfTrace } from './spans';
import { RenderedTrace } from './trace';
import { fetches } from './values';

const registry = new RenderMimeRegistry({ initialFactories: standardRendererFactories });
const trans = nullTranslator.load('lumos_nb');

async function drawn(data: Record<string, unknown>): Promise<HTMLElement> {
  const run = new RenderedRun(registry, trans, { of: () => ({}) });
  await run.renderModel(registry.createModel({ data: data as any, trusted: false }));
  return run.node;
}

describe('a run', () => {
  it('is drawn whatever its document is', async () => {
    const items = [null, 7, 'x', { kind: 'tool' }, { kind: 'text', text: null }, { kind: 'later' }, { kind: 'user' }];
    for (const broken of [null, 7, [], {}, { items: 3 }, { items, usage: 1, error: 'x', in_place_of: {} }])
      expect((await drawn({ [RUN_MIME]: broken })).querySelector('[data-lumos=run]')).not.toBeNull();
    const deep = JSON.parse('['.repeat(50_000) + ']'.repeat(50_000));
    expect(readDocument({ prompt: deep, items: [{ kind: 'tool', arguments: deep }] }).items).toHaveLength(1);
  });

  it('shows of a newer version what it left for others', async () => {
    const node = await drawn({ [RUN_MIME]: { v: 99 }, 'text/html': '<b>kept</b><script>x()</script>' });
    expect(node.textContent).toContain('A newer lumos_nb');
    expect(node.querySelector('b')?.textContent).toBe('kept');
    expect(node.querySelector('script')).toBeNull();
  });

  it('draws a hundred rows at first, and what they open to when they are opened', async () => {
    const big = 'x'.repeat(100_000);
    const item = (samples[5].doc as any).items.find((one: any) => one.kind === 'tool');
    const items = Array.from({ length: 500 }, () => ({ ...item, content: big }));
    const node = await drawn({ [RUN_MIME]: { ...samples[0].doc, items } });
    const rows = node.querySelectorAll<HTMLDetailsElement>('[data-lumos=tool]');
    expect(rows).toHaveLength(100);
    expect(node.textContent).not.toContain('xxx');
    rows[0].open = true;
    rows[0].dispatchEvent(new Event('toggle'));
    await expect.poll(() => rows[0].textContent).toContain('xxx');
  });

  it('keeps markup of every field from acting', async () => {
    const evil = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script><b>bold</b>';
    const fill = (value: any): any => {
      if (Array.isArray(value)) return value.map(fill);
      if (typeof value === 'object' && value)
        return Object.fromEntries(
          Object.entries(value).map(([k, v]) => [k, k === 'kind' || k === 'status' ? v : fill(v)]),
        );
      return typeof value === 'string' ? value + evil : value;
    };
    const node = await drawn({ [RUN_MIME]: fill(samples[5].doc) });
    expect(node.querySelectorAll('script, img, b, [onerror]')).toHaveLength(0);
    expect(node.textContent).toContain('<b>bold</b>');
  });
});

describe('HTML of a model or a tool', () => {
  const clean = (html: string) => new QuietSanitizer(registry.sanitizer).sanitize(html);

  it('loads nothing: a picture from elsewhere is a link', () => {
    expect(clean('<img src="http://x/a.png" alt="far">')).toBe(
      '<a href="http://x/a.png" target="_blank" rel="noopener noreferrer">far</a>',
    );
    expect(
      clean('<div style="background-image:url(http://x/a.png)">a</div><video src="http://x"></video>'),
    ).not.toContain('http');
    expect(clean('<img src="data:image/png;base64,AAAA">')).toContain('data:image/png');
  });

  it('neither runs nor covers the page', () => {
    const html = clean('<a href="javascript:x()" class="jp-Dialog" onclick="x()">a</a><form><button>b</button></form>');
    expect(html).not.toMatch(/javascript|class|onclick|button/);
    expect(clean('<p style="position:absolute;color:red;z-index:9;top:0">a</p>')).not.toMatch(/absolute|z-index/);
  });

  it('is shown and not obeyed in Markdown; an amount is no formula', () => {
    expect(clean(prepared('<b>x</b> for $5 and $x$'))).toBe('&lt;b&gt;x&lt;/b&gt; for <span>$</span>5 and $x$');
    expect(prepared('`<b> $5` <https://a.b>')).toBe('`<b> $5` <https://a.b>');
  });
});

it('a chart that would fetch its data is not drawn', () => {
  expect(fetches({ $schema: 'https://vega.github.io/schema/vega-lite/v5.json', data: { values: [1] } })).toBe(false);
  for (const url of ['http://x/a.json', '//x/a.json', { signal: "'ht' + 'tp://x'" }])
    expect(fetches({ data: { url } })).toBe(true);
});

it('a text of formulas that never end does not hold the page up', () => {
  const began = performance.now();
  chunks('\\[ \\( '.repeat(15_000)).map(prepared);
  expect(performance.now() - began).toBeLessThan(2000);
});

it('a long text is cut at empty lines, and whole when joined', () => {
  const text = Array.from({ length: 100 }, (_, i) => `line ${i}\n\n\`\`\`\ncode\n\n\`\`\``).join('\n\n');
  const parts = chunks(text, 300);
  expect(parts.length).toBeGreaterThan(3);
  for (const part of parts) expect((part.match(/```/g) ?? []).length % 2).toBe(0);
  expect(readDocument({ items: [{ kind: 'text', text: [text, 'a'] }] }).items).toHaveLength(1);
});

describe('a trace', () => {
  const span = (id: string, parent: string | null, start: number, more = {}) => ({
    span_id: id,
    parent_span_id: parent,
    op: 'chat',
    name: `chat ${id}`,
    start_ns: start,
    end_ns: start + 5e8,
    status: 'ok',
    ...more,
  });

  it('shows spans below those that they are part of, also where their ids go in circles', () => {
    const bars = barsOfTrace(
      { spans: [span('b', 'a', 1e9), span('a', null, 0), span('c', 'c', 2e9), null, {}] },
      () => () => 0,
    );
    expect(bars.map((bar) => [bar.label, bar.depth, bar.start])).toEqual([
      ['a', 0, 0],
      ['b', 1, 1],
      ['c', 0, 2],
    ]);
  });

  it('of the sample opens to what was kept of each bar', async () => {
    const trace = new RenderedTrace(registry, trans);
    await trace.renderModel(registry.createModel({ data: { [TRACE_MIME]: sampleTrace as any } }));
    const bars = trace.node.querySelectorAll<HTMLDetailsElement>('.lumos-timebars > details');
    expect([...bars].map((bar) => bar.querySelector('.lumos-timebar-words span')?.textContent)).toEqual([
      'analyst',
      'script',
      'rows',
      'script',
    ]);
    bars[2].open = true;
    bars[2].dispatchEvent(new Event('toggle'));
    await expect.poll(() => bars[2].textContent).toContain('3 rows of orders');
  });

  it('is drawn whatever its data is', async () => {
    for (const broken of [null, [], { spans: 3 }, { traces: [null, { spans: [{}] }] }, { v: 99 }]) {
      const trace = new RenderedTrace(registry, trans);
      await trace.renderModel(registry.createModel({ data: { [TRACE_MIME]: broken as any } }));
      expect(trace.node.textContent).toMatch(/Nothing was recorded|A newer/);
    }
  });
});
