// What may stand in the page of HTML that a model or a tool has written.
//
// One idea: JupyterLab's sanitizer takes out what acts; this one takes out what loads, covers or leads
// elsewhere as well. It works on a document that is not shown, so that nothing is fetched meanwhile.

import type { IRenderMime } from '@jupyterlab/rendermime';

/** Stand in a Markdown text for `<` and `$` that are to be shown and not obeyed. */
export const LESS = '\ue002';
export const DOLLAR = '\ue003';
const HELD = /[\ue002\ue003]/;

const DATA_IMAGE = /^data:image\/(png|jpeg|gif|webp|svg\+xml)[;,]/i;
const LINK = /^(https?:|mailto:|#)|^[^:]*$/i;
/** Parts of a style; Lab's sanitizer has left none with escapes. */
const LOADS_OR_COVERS = /[^;]*url\s*\([^;]*;?|(?<=^|;)\s*(?:position|z-index|inset)\s*:[^;]*;?/gi;
const ALLOWED = new Set(['href', 'title', 'alt', 'width', 'height', 'start', 'align', 'colspan', 'rowspan', 'scope']);
const DROPPED = 'script,style,link,meta,base,iframe,object,embed,form,video,audio,source,track,svg,math,input,button';

export class QuietSanitizer implements IRenderMime.ISanitizer {
  constructor(private readonly usual: IRenderMime.ISanitizer) {}

  sanitize(dirty: string, options?: IRenderMime.ISanitizerOptions): string {
    if (options?.allowedTags) return this.usual.sanitize(dirty, options); // printed text: coloured spans alone
    const body = new DOMParser().parseFromString(this.usual.sanitize(dirty, options), 'text/html').body;
    for (const node of body.querySelectorAll(DROPPED)) node.remove();
    for (const node of body.querySelectorAll('*')) this.clean(node);
    if (HELD.test(body.textContent ?? '')) giveBack(body);
    return body.innerHTML;
  }

  private clean(node: Element): void {
    const isCode = node.closest('pre,code') !== null;
    for (const { name, value } of [...node.attributes]) {
      if (name === 'style') node.setAttribute(name, value.replace(LOADS_OR_COVERS, ''));
      else if (name === 'src' && DATA_IMAGE.test(value.trim())) continue;
      else if (name === 'class' && isCode) continue;
      else if (name === 'src' && node.tagName === 'IMG')
        continue; // made a link below
      else if (!ALLOWED.has(name)) node.removeAttribute(name);
      else if (name !== 'href' && HELD.test(value)) node.setAttribute(name, plain(value));
    }
    if (node.tagName === 'A') this.link(node);
    if (node.tagName === 'IMG') this.picture(node);
  }

  private link(node: Element): void {
    const href = plain(node.getAttribute('href') ?? '')
      .replaceAll('%EE%80%82', '%3C')
      .replaceAll('%EE%80%83', '$');
    if (!LINK.test(href.trim())) node.removeAttribute('href');
    else node.setAttribute('href', href);
    node.setAttribute('target', '_blank');
    node.setAttribute('rel', 'noopener noreferrer');
  }

  /** A picture from elsewhere would tell its server who reads this, so it is a link. */
  private picture(node: Element): void {
    const src = node.getAttribute('src') ?? '';
    if (DATA_IMAGE.test(src.trim())) return;
    if (!/^https?:/i.test(src.trim())) return node.remove();
    const link = node.ownerDocument.createElement('a');
    link.setAttribute('href', src);
    link.textContent = node.getAttribute('alt') || src;
    this.link(link);
    node.replaceWith(link);
  }
}

const plain = (text: string) => text.replaceAll(LESS, '<').replaceAll(DOLLAR, '$');

/** Shows what was held. MathJax ends a formula at a tag: a dollar in a `span` of its own never begins one. */
function giveBack(body: HTMLElement): void {
  const walker = body.ownerDocument.createTreeWalker(body, NodeFilter.SHOW_TEXT);
  const found: Text[] = [];
  while (walker.nextNode()) if (HELD.test(walker.currentNode.nodeValue ?? '')) found.push(walker.currentNode as Text);
  for (const node of found) {
    const parts = plain(node.data.replaceAll(DOLLAR, '\ue004')).split('\ue004');
    const dollar = () => Object.assign(body.ownerDocument.createElement('span'), { textContent: '$' });
    node.replaceWith(...parts.flatMap((part, i) => (i ? [dollar(), part] : [part])));
  }
}
