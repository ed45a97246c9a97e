// A trace as a waterfall: every bar opens to what was sent and what came back, as far as the data has it.

import type { IRenderMime, IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { styled } from '../elements';
import { STYLES, TRACE_MIME, TRACE_VERSION } from '../protocol';
import { type Bar, drawBars } from './bars';
import { text } from './document';
import { fold } from './frames';
import { Stage } from './stage';
import { barsOfTrace, type Piece } from './spans';
import { drawPlain } from './values';

export class RenderedTrace extends Widget implements IRenderMime.IRenderer {
  private readonly stage: Stage;

  constructor(registry: IRenderMimeRegistry, trans: TranslationBundle) {
    super();
    this.stage = new Stage(registry, trans, this);
    this.addClass('lumos-trace');
    this.addClass('jp-RenderedHTMLCommon');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.stage.clear();
    this.node.replaceChildren();
    const data = (model.data[TRACE_MIME] ?? {}) as Record<string, unknown>;
    const [html, plain] = [text(model.data['text/html']), text(model.data['text/plain'])];
    if (typeof data.v === 'number' && data.v > TRACE_VERSION) {
      const said = this.stage.trans.__('A newer lumos_nb made this output. What this version can show of it:');
      const place = styled('div');
      this.node.append(styled('div', STYLES.muted, said), place);
      if (html) place.innerHTML = this.stage.registry.sanitizer.sanitize(html);
      else await drawPlain(this.stage, plain, place);
      return;
    }
    const traces = Array.isArray(data.traces) ? data.traces : [data];
    for (const trace of traces) drawTrace(this.stage, trace, this.node);
  }
}

/** Draws one trace below another. */
export function drawTrace(stage: Stage, trace: unknown, place: HTMLElement): void {
  const bars = barsOfTrace(trace, (pieces) => (body) => drawPieces(stage, pieces, body));
  const node = styled('div');
  place.append(node);
  if (bars.length) drawBars(stage, bars as Bar[], node);
  else node.append(styled('div', STYLES.muted, 'Nothing was recorded.'));
}

function drawPieces(stage: Stage, pieces: Piece[], body: HTMLElement): void {
  for (const piece of pieces) {
    const draw = async (place: HTMLElement) => {
      await drawPlain(stage, piece.text, place);
      if (piece.note) place.append(styled('div', `${STYLES.muted};overflow-wrap:anywhere`, piece.note));
    };
    if (piece.is_folded) body.append(fold(piece.label, draw, 'margin:2px 0'));
    else {
      const place = styled('div');
      body.append(styled('div', 'margin:2px 0', styled('div', STYLES.muted, piece.label), place));
      void draw(place);
    }
  }
}
