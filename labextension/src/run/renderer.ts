// A saved run as a transcript.

import type { IRenderMime } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';

export class RenderedRun extends Widget implements IRenderMime.IRenderer {
  constructor(private readonly options: IRenderMime.IRendererOptions) {
    super();
    this.addClass('lumos-run');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const run = model.data[this.options.mimeType] as any;
    this.node.textContent = `${run?.agent ?? ''} ${run?.status ?? ''}`;
  }
}
