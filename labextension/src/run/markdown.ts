// Markdown of a model, through JupyterLab's own renderer.
//
// One idea: Lab renders, but what it is given is prepared as `widgets/markdown.py` does: HTML in a text is
// shown and not obeyed, an amount such as $5 is no formula; and what comes out gets the saved HTML's styles.

import { Clipboard } from '@jupyterlab/apputils';

import { button, element, styled } from '../elements';
import { size } from '../phrases';
import { STYLES } from '../protocol';
import { breathe } from './frames';
import { DOLLAR, LESS } from './sanitizer';
import type { Stage } from './stage';

const CHUNK_CHARS = 20_000;
/** A text longer than this is shown in part, until a person wants all of it. */
export const LONG_CHARS = 100_000;

// A formula has an end within some lines: who looks for it in all that follows stops the page over a text of `\[`.
const INSIDE = '(?:(?!\\n\\s*\\n)[\\s\\S]){1,2000}?';
const HELD = new RegExp(
  [
    '(?<code>^ {0,3}(?<fence>```+|~~~+)[^\\n]*\\n[\\s\\S]*?(?:^ {0,3}\\k<fence>|$(?![\\s\\S]))',
    '(?<!`)(?<ticks>`+)(?!`)[\\s\\S]+?(?<!`)\\k<ticks>(?!`))',
    `\\$\\$${INSIDE}\\$\\$`,
    `\\\\\\[${INSIDE}\\\\\\]`,
    `\\\\\\(${INSIDE}\\\\\\)`,
    `\\\\begin\\{(?<env>\\w+\\*?)\\}${INSIDE}\\\\end\\{\\k<env>\\}`,
    '(?<![\\\\$\\w])\\$(?![\\s$])[^$\\n]*?(?<![\\s\\\\])\\$(?![\\d$])',
  ].join('|'),
  'gm',
);
/** What begins a tag, and no link in angle brackets. */
const TAG = /<(?![a-z][a-z0-9+.-]*:[^\s<>]*>|[^\s<>@]+@[^\s<>]+>)/gi;

/** A text in which HTML and amounts are held for `QuietSanitizer` to show; code and formulas as they were. */
export function prepared(text: string): string {
  const hold = (part: string) => part.replace(TAG, LESS).replaceAll('$', DOLLAR);
  let at = 0;
  let out = '';
  for (const match of text.matchAll(HELD)) {
    out += hold(text.slice(at, match.index)) + match[0];
    at = match.index + match[0].length;
  }
  return out + hold(text.slice(at));
}

/** A long text in parts that can be rendered one after the other: cut at empty lines, never within a fence. */
export function chunks(text: string, most = CHUNK_CHARS): string[] {
  if (text.length <= most) return [text];
  const found: string[] = [];
  let part = '';
  let fence = '';
  for (const line of text.split('\n')) {
    const mark = /^ {0,3}(```+|~~~+)/.exec(line)?.[1] ?? '';
    if (mark && !fence) fence = mark;
    else if (mark && line.trim().startsWith(fence)) fence = '';
    if (part.length >= most && !fence && !line.trim()) {
      found.push(part);
      part = '';
    } else part += line + '\n';
    while (part.length > 4 * most) {
      found.push(part.slice(0, most)); // one line, or one fence, without an end
      part = part.slice(most);
    }
  }
  return part ? [...found, part] : found;
}

/** Renders a text into a place; what is long, in steps and behind a button. */
export async function renderMarkdown(stage: Stage, text: string, place: HTMLElement): Promise<void> {
  const parts = chunks(text);
  let shown = 0;
  while (parts.length && (shown === 0 || shown + parts[0].length <= LONG_CHARS)) {
    if (shown) await breathe();
    shown += parts[0].length;
    await renderPart(stage, parts.shift() as string, place);
  }
  if (!parts.length) return;
  const label = stage.trans.__('Show all %1', size(text.length));
  const more = button(label, async () => {
    more.remove();
    for (const part of parts) {
      await renderPart(stage, part, place);
      await breathe();
    }
  });
  place.append(more);
}

async function renderPart(stage: Stage, text: string, place: HTMLElement): Promise<void> {
  const renderer = stage.registry.createRenderer('text/markdown');
  try {
    await renderer.renderModel(stage.registry.createModel({ data: { 'text/markdown': prepared(text) } }));
    const nodes = [...renderer.node.childNodes];
    for (const node of nodes) if (node instanceof HTMLElement) dress(stage, node);
    place.append(...[...renderer.node.childNodes]);
  } finally {
    renderer.dispose();
  }
  if (/\$|\\[([]|\\begin/.test(text)) stage.typeset(place);
}

/** Gives a block the styles that it has in saved HTML, and code a button. */
function dress(stage: Stage, block: HTMLElement): void {
  for (const anchor of block.querySelectorAll('.jp-InternalAnchorLink')) anchor.remove();
  const all = (selector: string) => [
    ...(block.matches(selector) ? [block] : []),
    ...block.querySelectorAll<HTMLElement>(selector),
  ];
  for (const heading of all('h1,h2,h3,h4,h5,h6')) heading.removeAttribute('id');
  for (const pre of all('pre')) dressCode(stage, pre);
  for (const table of all('table')) {
    table.style.cssText = STYLES.table;
    const place = styled('div', 'overflow-x:auto');
    table.replaceWith(place);
    place.append(table);
  }
  for (const cell of all('th,td')) cell.style.textAlign ||= cell.getAttribute('align') ?? 'left';
}

function dressCode(stage: Stage, pre: HTMLElement): void {
  const code = pre.textContent ?? '';
  pre.style.cssText = STYLES.code;
  const inner = pre.querySelector('code');
  if (inner) inner.style.cssText = 'background:none;padding:0';
  const place = element('div', 'lumos-code');
  pre.replaceWith(place);
  const copy: HTMLButtonElement = button(stage.trans.__('Copy'), () => {
    Clipboard.copyToSystem(code);
    copy.textContent = stage.trans.__('Copied');
    copy.onblur = copy.onpointerleave = () => (copy.textContent = stage.trans.__('Copy'));
  });
  copy.classList.add('lumos-copy');
  copy.ariaLabel = stage.trans.__('Copy this code');
  place.append(pre, copy);
}

/** Renders code in the colours of the notebook's editor. */
export async function renderCode(stage: Stage, code: string, language: string, place: HTMLElement): Promise<void> {
  const longest = Math.max(2, ...[...code.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  await renderPart(stage, `${fence}${language}\n${code}\n${fence}`, place);
}
