// Elements of the page, for all that is not drawn by React. Their text is never read as HTML.

type Tag = keyof HTMLElementTagNameMap;

/** An element of a class. */
export function element<K extends Tag>(tag: K, className = '', ...children: (Node | string)[]) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

/** An element with inline styles, as saved HTML has them. */
export function styled<K extends Tag>(tag: K, style = '', ...children: (Node | string)[]) {
  const node = element(tag, '', ...children);
  if (style) node.style.cssText = style;
  return node;
}

/** A button with a word on it. */
export function button(text: string, act: () => unknown, title = '', className = 'lumos-button'): HTMLButtonElement {
  const node = element('button', className, text);
  node.type = 'button';
  if (title) node.title = title;
  node.onclick = () => void act();
  return node;
}

/** A button that looks like a link. */
export const link = (text: string, act: () => unknown): HTMLButtonElement => button(text, act, '', 'lumos-link');
