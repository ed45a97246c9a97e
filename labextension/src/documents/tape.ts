// A tape as rows, one an interaction or a tool call, each open to what was sent and what came back.

import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { button, element, styled } from '../elements';
import { SHELLS, STYLES } from '../protocol';
import { frame, onFirstOpen } from '../run/frames';
import { Stage } from '../run/stage';
import { drawPlain } from '../run/values';
import { count } from '../phrases';
import { readTape, type Row } from './lines';

const SLICE = 100;

export class RenderedTape extends Widget {
  private readonly stage: Stage;

  constructor(registry: IRenderMimeRegistry, trans: TranslationBundle, text: string) {
    super();
    this.stage = new Stage(registry, trans, this);
    this.addClass('lumos-tape');
    this.addClass('jp-RenderedHTMLCommon');
    const { header, rows } = readTape(text);
    const tools = rows.filter((row) => row.kind === 'tool').length;
    const lost = rows.filter((row) => row.kind === 'broken').length;
    const told = [
      String(header.notebook || trans.__('Tape')),
      count(rows.length - tools - lost, 'interaction'),
      tools ? count(tools, 'tool call') : '',
      lost ? `${count(lost, 'line')} cannot be read` : '',
      String(header.recorded_at ?? ''),
      header.lumos ? `lumos_nb ${String(header.lumos)}` : '',
    ];
    this.node.append(styled('div', STYLES.muted, told.filter(Boolean).join(' · ')));
    if (!rows.length) this.node.append(styled('div', STYLES.muted, trans.__('Nothing is recorded on it.')));
    this.list(rows, 0);
  }

  private list(rows: Row[], from: number): void {
    this.node.append(...rows.slice(from, from + SLICE).map((row) => this.row(row)));
    const left = rows.length - from - SLICE;
    if (left <= 0) return;
    const more = button(this.stage.trans.__('Show %1 more', Math.min(left, SLICE)), () => {
      more.remove();
      this.list(rows, from + SLICE);
    });
    this.node.append(more);
  }

  private row(row: Row): HTMLElement {
    const node = frame(SHELLS.tool) as HTMLDetailsElement;
    const line = styled('span', STYLES.line, element('strong', '', row.head), ' ');
    line.append(styled('span', `${STYLES.cut};${row.isBad ? STYLES.error : STYLES.muted}`, row.told));
    node.querySelector('summary')?.append(line);
    onFirstOpen(node, async () => {
      for (const part of row.parts) {
        const place = styled('div', 'flex:1 1 0;min-width:0');
        const label = styled('div', `flex:0 0 84px;${STYLES.muted}`, part.label);
        node.lastElementChild?.append(styled('div', 'display:flex;gap:12px;margin:2px 0', label, place));
        await drawPlain(this.stage, part.text, place);
      }
    });
    return node;
  }
}
