// A saved run as a transcript, drawn from its document.
//
// One idea: heads first, bodies when they are opened, rows in slices: however large a run is, the page is
// never held up by it.

import type { IRenderMime, IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import { button, element, styled } from '../elements';
import { RUN_MIME, SHELLS, TRANSCRIPT_VERSION } from '../protocol';
import { readDocument, type RunDocument, text } from './document';
import { breathe, frame } from './frames';
import { type Deeds, Foot } from './foot';
import { renderMarkdown } from './markdown';
import { markdownOf } from './plain';
import { rowOf } from './rows';
import { Stage } from './stage';
import { title } from './words';

const SLICE = 100;

/** What can be done with a run that is drawn in this node, and when that is another. */
export interface IRunDeeds {
  of(node: HTMLElement, doc: RunDocument): Deeds;
  readonly changed?: ISignal<unknown, unknown>;
}

export class RenderedRun extends Widget implements IRenderMime.IRenderer {
  private readonly stage: Stage;
  private foot: Foot | null = null;
  private doc = readDocument({});
  private n = 0; // of the drawing: a later one ends an earlier one

  constructor(
    registry: IRenderMimeRegistry,
    trans: TranslationBundle,
    private readonly deeds: IRunDeeds,
  ) {
    super();
    this.stage = new Stage(registry, trans, this);
    this.addClass('lumos-run');
    this.addClass('jp-RenderedHTMLCommon');
    this.addClass('jp-RenderedHTML');
    deeds.changed?.connect(this.offer, this);
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const data = model.data[RUN_MIME];
    this.doc = readDocument(data);
    this.stage.clear();
    this.node.replaceChildren();
    if (this.doc.v > TRANSCRIPT_VERSION) return this.drawNewer(model);
    const run = frame(SHELLS.run);
    const [head, rows, foot] = [...run.children] as HTMLElement[];
    const heading = element('span', '', title(this.doc).join(' · '));
    head.append(heading);
    head.classList.add('lumos-run-head');
    const markdown = () => text(model.data['text/markdown']) || markdownOf(this.doc);
    this.foot = new Foot(this.stage, this.doc, markdown);
    foot.append(this.foot.node);
    this.node.append(run);
    this.offer();
    await this.drawRows(rows, 0, ++this.n);
  }

  protected onAfterAttach(): void {
    this.stage.onAttached();
    this.offer();
  }

  private offer(): void {
    this.foot?.offer(this.isAttached ? this.deeds.of(this.node, this.doc) : {});
  }

  private async drawRows(place: HTMLElement, from: number, n: number): Promise<void> {
    const items = this.doc.items.slice(from, from + SLICE);
    const ready: (() => Promise<unknown>)[] = [];
    let since = performance.now();
    for (const item of items) {
      const row = rowOf(this.stage, item);
      place.append(row.node);
      ready.push(() => row.ready);
      await row.ready;
      if (performance.now() - since < 50) continue;
      await breathe();
      since = performance.now();
      if (n !== this.n || this.isDisposed) return;
    }
    const left = this.doc.items.length - from - items.length;
    if (left > 0) this.offerMore(place, from + items.length, left, n);
  }

  private offerMore(place: HTMLElement, from: number, left: number, n: number): void {
    const more = button(this.stage.trans.__('Show %1 more', left), () => {
      watch?.disconnect();
      more.remove();
      return this.drawRows(place, from, n);
    });
    place.append(more);
    const watch =
      typeof IntersectionObserver === 'undefined'
        ? null
        : new IntersectionObserver(([{ isIntersecting }]) => isIntersecting && more.click());
    watch?.observe(more);
  }

  /** Shows what a newer version has left for those who do not know it. */
  private async drawNewer(model: IRenderMime.IMimeModel): Promise<void> {
    const said = this.stage.trans.__('A newer lumos_nb made this output. What this version can show of it:');
    const note = styled('div', 'color:var(--jp-ui-font-color2,#7a7a7a)', said);
    const place = styled('div');
    this.node.append(note, place);
    const html = text(model.data['text/html']);
    const markdown = text(model.data['text/markdown']) || text(model.data['text/plain']);
    if (html) place.innerHTML = this.stage.registry.sanitizer.sanitize(html);
    else await renderMarkdown(this.stage, markdown || markdownOf(this.doc), place);
  }
}
