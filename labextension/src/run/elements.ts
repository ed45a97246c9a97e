// What a run is built of in the page: elements, the frames that every view of it shares, foldable parts.

import { STYLES } from '../protocol';

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  style = '',
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  if (style) node.style.cssText = style;
  node.append(...children);
  return node;
}

/** A frame of `SHELLS`, with its places empty. */
export function frame(shell: string): HTMLElement {
  const template = document.createElement('template');
  template.innerHTML = shell.replace(/\{\w+\}/g, '');
  return template.content.firstElementChild as HTMLElement;
}

export function button(text: string, act: () => unknown, title = ''): HTMLButtonElement {
  const node = element('button', '', text);
  node.type = 'button';
  node.className = 'lumos-button';
  if (title) node.title = title;
  node.onclick = () => void act();
  return node;
}

/** A part that is filled when it is first opened. */
export function fold(head: Node | string, fill: (body: HTMLElement) => unknown, style = ''): HTMLDetailsElement {
  const body = element('div');
  const summary = element('summary', `cursor:pointer;${STYLES.muted}`, head);
  const node = element('details', style, summary, body);
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
