// Finds the views that were left in the middle of a run, and puts the run's end in their place.
//
// One idea: the notebook's model says what is left; it is looked through when a notebook gets a link, when
// a run ends, and when outputs come. So it does not matter what was missed, nor by which of two tabs.

import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import { eachNotebook } from '../notebooks';
import type { ILinks, Link } from '../kernel';
import { leftText } from './left';
import { leftViews, replace } from './outputs';

const NOT_FOUND = /^Error displaying widget/;
const LOADING = /^Loading widget/;
const LOOK_MS = 200;
const REST_MS = 500;
const ANSWER_MS = 60_000; // a large run takes its time

export class Mending {
  /** The views that a kernel was asked about, and will tell the end of. */
  private readonly asked = new WeakMap<Link, Set<string>>();

  constructor(
    tracker: INotebookTracker,
    private readonly links: ILinks,
    private readonly trans: TranslationBundle,
  ) {
    eachNotebook(tracker, (panel) => this.watch(panel));
    links.each((link, panel) => {
      this.asked.set(link, new Set());
      link.told.connect((_, told) => {
        if (told.news === 'outputs.ended') void this.mend(panel, link, told.with.view);
      });
      void panel.context.ready.then(() => panel.revealed).then(() => this.mendAll(panel, link));
    });
  }

  private async mendAll(panel: NotebookPanel, link: Link): Promise<void> {
    if (panel.isDisposed) return;
    for (const view of new Set(leftViews(panel.content.widgets).map((left) => left.view)))
      if (!this.asked.get(link)?.has(view)) await this.mend(panel, link, view);
    this.sayWhatIsDead(panel);
  }

  private async mend(panel: NotebookPanel, link: Link, view: string): Promise<void> {
    const asked = this.asked.get(link);
    asked?.delete(view); // it may be cut out now, and come back
    if (panel.isDisposed || !leftViews(panel.content.widgets).some((left) => left.view === view)) return;
    asked?.add(view);
    try {
      const { state, bundle } = await link.ask('outputs.mend', { view }, ANSWER_MS);
      if (state !== 'ended' || !bundle) return;
      asked?.delete(view);
      if (!panel.isDisposed) replace(panel.content, view, bundle);
    } catch {
      return; // the kernel is gone or older: the next link asks again
    }
  }

  /** Watches a notebook for views that cannot be shown. */
  private watch(panel: NotebookPanel): void {
    let timer = 0;
    const look = new MutationObserver(() => {
      timer ||= window.setTimeout(() => {
        timer = 0;
        if (!panel.isDisposed) this.sayWhatIsDead(panel);
      }, LOOK_MS);
    });
    look.observe(panel.content.node, { childList: true, subtree: true });
    let rest = 0;
    // A cell that was cut is pasted, a deletion undone, the file read again: the run may have ended meanwhile.
    panel.content.modelContentChanged.connect(() => {
      window.clearTimeout(rest);
      rest = window.setTimeout(() => {
        const link = this.links.of(panel);
        if (link) void this.mendAll(panel, link);
      }, REST_MS);
    });
    panel.disposed.connect(() => look.disconnect());
    panel.sessionContext.statusChanged.connect(() => this.sayWhatIsDead(panel));
  }

  /** In the place of a widget that is not found, says what stood there. */
  private sayWhatIsDead(panel: NotebookPanel): void {
    const dead = deadNodes(panel);
    if (!dead.length) return;
    const ours = new Set(leftViews(panel.content.widgets).map(({ cell }) => cell.outputArea.node));
    for (const node of dead) {
      if (![...ours].some((area) => area.contains(node))) continue;
      node.textContent = leftText(this.trans, this.links.of(panel) !== null);
      node.classList.add('lumos-left');
    }
  }
}

/** Where the page says that a widget is not found, or still waits for one from a kernel that is not there. */
function deadNodes(panel: NotebookPanel): HTMLElement[] {
  const hasKernel = !!panel.sessionContext.session?.kernel;
  return [...panel.content.node.querySelectorAll<HTMLElement>('.jp-OutputArea-output')].filter((node) => {
    const said = node.childElementCount ? '' : (node.textContent ?? '').slice(0, 40);
    return NOT_FOUND.test(said) || (!hasKernel && LOADING.test(said));
  });
}
