// What the parts of a drawn run need of the page: renderers that are safe, words, a typesetter.

import type { IRenderMime, IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { QuietSanitizer } from './sanitizer';

export class Stage {
  readonly registry: IRenderMimeRegistry;
  private children: Widget[] = [];
  private waiting: HTMLElement[] = [];

  /** `host` is the widget in which all is drawn; what is drawn in it ends with it. */
  constructor(
    registry: IRenderMimeRegistry,
    readonly trans: TranslationBundle,
    private readonly host: Widget,
  ) {
    this.registry = registry.clone({ sanitizer: new QuietSanitizer(registry.sanitizer) });
    host.disposed.connect(() => this.clear());
  }

  /** Sets the formulas in a node: now, or when the page shows it. */
  typeset(node: HTMLElement): void {
    if (this.host.isAttached) void this.registry.latexTypesetter?.typeset(node);
    else this.waiting.push(node);
  }

  /** To be called when the host comes into the page. */
  onAttached(): void {
    for (const node of this.waiting.splice(0)) this.typeset(node);
  }

  /** Draws data of one kind, never trusted. */
  async draw(mime: string, data: Record<string, unknown>, place: HTMLElement): Promise<void> {
    const renderer: IRenderMime.IRenderer = this.registry.createRenderer(mime);
    this.children.push(renderer);
    await renderer.renderModel(this.registry.createModel({ data: data as any, trusted: false }));
    if (place.isConnected) Widget.attach(renderer, place);
    else place.append(renderer.node);
  }

  /** Ends all that was drawn. */
  clear(): void {
    for (const child of this.children.splice(0)) {
      child.node.remove();
      child.dispose();
    }
    this.waiting = [];
  }
}
