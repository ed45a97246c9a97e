// What a run is built of in the page: the frames that every view of it shares, and foldable parts.

import { styled } from '../elements';
import { STYLES } from '../protocol';

/** A frame of `SHELLS`, with its places empty. */
export function frame(shell: string): HTMLElement {
  const template = document.createElement('template');
  template.innerHTML = shell.replace(/\{\w+\}/g, '');
  return template.content.firstElementChild as HTMLElement;
}

/** A part that is filled when it is first opened. */
export function fold(head: Node | string, fill: (body: HTMLElement) => unknown, style = ''): HTMLDetailsElement {
  const body = styled('div');
  const summary = styled('summary', `cursor:pointer;${STYLES.muted}`, head);
  const node = styled('details', style, summary, body);
  onFirstOpen(node, () => fill(body));
  return node;
}

/** Calls once: now if the part is open, else when it is opened. */
export function onFirstOpen(node: HTMLDetailsElement, fill: () => unknown): void {
  let isFilled = false;
  const look = () => {
    if (!node.open || isFilled) return;
    isFilled = true;
    fill();
  };
  node.addEventListener('toggle', look);
  look();
}

/** Lets the page draw, listen and scroll before what follows. */
export const breathe = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
