// Bars on an axis of time: what happened when, each with its figures as text and open to its details.
//
// One idea: nothing depends on a colour or on the drawing alone; what a bar shows stands beside it in words.

import { button, element, styled } from '../elements';
import { seconds } from '../phrases';
import { STYLES } from '../protocol';
import { onFirstOpen } from './frames';
import type { Stage } from './stage';

export interface Bar {
  label: string;
  /** What is said beside the label: how it went, and figures. */
  told: string;
  depth: number;
  /** Seconds from the beginning. */
  start: number;
  /** Null where it has not ended. */
  end: number | null;
  kind: 'run' | 'model' | 'tool' | 'wait';
  isBad: boolean;
  /** Seconds until the first token, of a model call. */
  ttft?: number | null;
  /** Draws what it opens to. */
  open?: (body: HTMLElement) => unknown;
}

const SLICE = 200;

/** Draws bars, a slice at a time. */
export function drawBars(stage: Stage, bars: Bar[], place: HTMLElement): void {
  const all = bars.reduce((most, bar) => Math.max(most, bar.end ?? bar.start), 0) || 1;
  const list = element('div', 'lumos-timebars');
  list.append(axis(all));
  place.append(list);
  const next = (from: number) => {
    list.append(...bars.slice(from, from + SLICE).map((bar) => row(bar, all)));
    const left = bars.length - from - SLICE;
    if (left <= 0) return;
    const more = button(stage.trans.__('Show %1 more', Math.min(left, SLICE)), () => {
      more.remove();
      next(from + SLICE);
    });
    list.append(more);
  };
  next(0);
}

function axis(all: number): HTMLElement {
  const marks = element('span', 'lumos-timebar-drawing lumos-axis');
  const said = (s: number) => (all < 1 ? `${(s * 1000).toFixed(all < 0.1 ? 1 : 0)} ms` : seconds(s));
  for (const part of [0, 0.25, 0.5, 0.75, 1]) marks.append(element('span', '', part ? said(all * part) : '0 s'));
  const line = styled('div', STYLES.muted, styled('span'), marks);
  line.className = 'lumos-timebar lumos-timebar-axis';
  return line;
}

function row(bar: Bar, all: number): HTMLElement {
  const head = element('span', 'lumos-timebar');
  const name = styled('span', `padding-left:${Math.min(bar.depth, 12) * 14}px`);
  name.className = 'lumos-timebar-words';
  const label = styled('span', bar.kind === 'run' ? 'font-weight:600' : '', bar.label);
  label.title = bar.label;
  name.append(label, ' ', styled('span', bar.isBad ? STYLES.error : STYLES.muted, bar.told));
  head.append(name, drawing(bar, all));
  if (!bar.open) {
    const line = element('div', 'lumos-timebar-line', head);
    return line;
  }
  const body = element('div', 'lumos-timebar-body');
  const summary = styled('summary', 'cursor:pointer;padding:1px 0', head);
  const node = element('details', '', summary, body);
  onFirstOpen(node, () => bar.open?.(body));
  return node;
}

function drawing(bar: Bar, all: number): HTMLElement {
  const end = bar.end ?? all;
  const left = Math.min(99.6, Math.max(0, (100 * bar.start) / all));
  const width = Math.max(0.4, Math.min(100 - left, (100 * (end - bar.start)) / all));
  const shape = styled('span', `left:${left.toFixed(2)}%;width:${width.toFixed(2)}%`);
  shape.className = `lumos-shape lumos-shape-${bar.kind}${bar.isBad ? ' lumos-mod-bad' : ''}`;
  shape.classList.toggle('lumos-mod-open', bar.end === null);
  if (bar.kind === 'model') {
    const hollow = bar.ttft ? Math.min(100, (100 * bar.ttft) / Math.max(end - bar.start, 1e-9)) : 0;
    shape.append(styled('span', `left:${hollow.toFixed(1)}%`));
  }
  const place = element('span', 'lumos-timebar-drawing', shape);
  const until = bar.end === null ? 'not ended' : `to ${seconds(bar.end)}`;
  place.title = `from ${seconds(bar.start)} ${until}`;
  return place;
}
