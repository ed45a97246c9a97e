// Stop, also where the kernel's main thread is busy: what is not heard soon is followed by an interrupt.

import type { NotebookPanel } from '@jupyterlab/notebook';

import type { ILinks } from '../kernel';

const HEARD_MS = 300; // a kernel that is free has heard a Stop by then

/** Stops the runs in a notebook's cells. Returns whether the kernel was interrupted for that. */
export async function stopRun(links: ILinks, panel: NotebookPanel | null): Promise<boolean> {
  const kernel = panel?.sessionContext.session?.kernel;
  const link = links.of(panel);
  if (!kernel || !link) return false;
  // A line that waits for input() ends by an interrupt alone.
  const isTyping = panel.content.node.querySelector('.jp-Stdin-input') !== null;
  const stopped = link.ask('outputs.stop', {}).catch(() => null);
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, HEARD_MS));
  const heard = await Promise.race([stopped, late]);
  const isOver = heard && (heard.n === 0 || !isTyping);
  if (isOver || kernel.status !== 'busy') return false;
  await kernel.interrupt();
  return true;
}
