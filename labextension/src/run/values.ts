// What a tool was given, gave back, printed and displayed: as `widgets/results.py` shows it, by Lab's renderers.

import { button, styled } from '../elements';
import { size } from '../phrases';
import { SHOWN_CHARS, STYLES } from '../protocol';
import { type Output, text, type ToolItem } from './document';
import { fold } from './frames';
import { dumps, parsed } from './json';
import { renderCode, renderMarkdown } from './markdown';
import type { Stage } from './stage';
import { namedArguments } from './words';

const IMAGES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/svg+xml'];
const LANGUAGES: Record<string, string> = {
  code: 'python',
  source: 'python',
  python: 'python',
  sql: 'sql',
  html: 'html',
};
/** Kinds that live only with a kernel, or are this very view. */
const NOT_DRAWN = /^application\/vnd\.(jupyter|lumos)\./;
const CODE_FONT = 'font-family:var(--jp-code-font-family,monospace);font-size:var(--jp-code-font-size,13px)';

/** Draws the richest safe form of a bundle; `content` stands in for an empty one. */
export async function drawBundle(
  stage: Stage,
  bundle: Record<string, unknown>,
  content: string,
  place: HTMLElement,
): Promise<void> {
  const image = IMAGES.find((mime) => bundle[mime]);
  const vendor = Object.keys(bundle).find((mime) => {
    if (!mime.startsWith('application/vnd.') || NOT_DRAWN.test(mime)) return false;
    return stage.registry.getFactory(mime)?.safe && !fetches(bundle[mime]);
  });
  const [html, markdown] = [text(bundle['text/html']), text(bundle['text/markdown'])];
  if (vendor) return stage.draw(vendor, bundle, place);
  if (image) return void place.append(picture(image, text(bundle[image])));
  if (html) return drawHtml(stage, html, text(bundle['text/plain']) || content, place);
  if ('application/json' in bundle) return drawJson(stage, exact(bundle['application/json'], content), place);
  if (markdown) return renderMarkdown(stage, markdown, place);
  return drawPlain(stage, text(bundle['text/plain']) || content, place);
}

/** Whether a chart would fetch something: Lab counts that as safe, but it tells a server who reads this. */
export function fetches(spec: unknown): boolean {
  let found = false;
  JSON.stringify(spec, (name, value) => {
    const isHere = typeof value === 'string' && /^\s*data:/i.test(value);
    const isFar = typeof value === 'string' && /^\s*(https?:)?\/\//i.test(value) && name !== '$schema';
    found ||= isFar || (/^(url|src|source)$/i.test(name) && !isHere);
    return value;
  });
  return found;
}

/** The value of a bundle, with the digits of its text, where the two are the same: the page has rounded large numbers. */
function exact(value: unknown, content: string): unknown {
  if (!/^[[{]/.test(content) || content.length > SHOWN_CHARS) return value;
  const told = parsed(content);
  return told !== undefined && JSON.stringify(JSON.parse(content)) === JSON.stringify(value) ? told : value;
}

function picture(mime: string, data: string): HTMLElement {
  const isDrawing = mime === 'image/svg+xml'; // in an img it can neither run nor load anything
  const body = isDrawing ? `,${encodeURIComponent(data)}` : `;base64,${data.replace(/[^A-Za-z0-9+/=]/g, '')}`;
  const node = styled('img', 'max-width:100%');
  node.alt = '';
  node.src = `data:${mime}${body}`;
  return node;
}

async function drawHtml(stage: Stage, html: string, plain: string, place: HTMLElement): Promise<void> {
  // Half a table is no table: a page too long is shown as its text.
  if (html.length > SHOWN_CHARS && plain) return drawPlain(stage, plain, place);
  const node = styled('div', STYLES.scroll);
  node.innerHTML = stage.registry.sanitizer.sanitize(html.slice(0, SHOWN_CHARS));
  place.append(node);
  note(stage, html, place);
  if (/\$|\\[([]/.test(html)) stage.typeset(node);
}

/** A text as it stands; one that is JSON, in its colours; a long one in part. */
export async function drawPlain(stage: Stage, said: string, place: HTMLElement): Promise<void> {
  const value = /^[[{]/.test(said) && said.length <= SHOWN_CHARS ? parsed(said) : undefined;
  if (value !== undefined) return drawJson(stage, value, place);
  if (!said) return void place.append(styled('span', STYLES.muted, 'nothing'));
  await drawPrinted(stage, 'stdout', said, place);
}

async function drawJson(stage: Stage, value: unknown, place: HTMLElement): Promise<void> {
  const json = dumps(value, 2);
  const node = styled('div', STYLES.scroll);
  place.append(node);
  await renderCode(stage, json.slice(0, SHOWN_CHARS), json.length < 30_000 ? 'json' : '', node);
  note(stage, json, place);
}

/** Draws a printed text with the colours of a terminal. */
export async function drawPrinted(stage: Stage, kind: string, said: string, place: HTMLElement): Promise<void> {
  const mime = kind === 'stderr' ? 'application/vnd.jupyter.stderr' : 'application/vnd.jupyter.stdout';
  const style = kind === 'stderr' ? `${STYLES.scroll};background:var(--jp-rendermime-error-background,#d9453d22)` : '';
  const node = styled('div', style || STYLES.scroll);
  node.className = 'lumos-printed';
  place.append(node);
  await stage.draw(mime, { [mime]: said.slice(0, SHOWN_CHARS) }, node);
  note(stage, said, place, async () => {
    node.replaceChildren();
    await stage.draw(mime, { [mime]: said }, node);
  });
}

function note(stage: Stage, all: string, place: HTMLElement, showAll?: () => unknown): void {
  if (all.length <= SHOWN_CHARS) return;
  const said = stage.trans.__('The first %1 of %2 are shown.', size(SHOWN_CHARS), size(all.length));
  const line = styled('div', STYLES.muted, said);
  if (showAll) {
    const more = button(stage.trans.__('Show all'), () => {
      line.remove();
      return showAll();
    });
    line.append(' ', more);
  }
  place.append(line);
}

/** Draws the arguments of a call: a name and a typed value each; long text as a block. */
export async function drawArguments(stage: Stage, given: string, place: HTMLElement): Promise<void> {
  const named = given.length > 50 * SHOWN_CHARS ? null : namedArguments(given);
  if (named === null) return drawPlain(stage, given, place);
  for (const [name, value] of Object.entries(named)) await drawArgument(stage, name, value, place);
}

async function drawArgument(stage: Stage, name: string, value: unknown, place: HTMLElement): Promise<void> {
  const label = styled('span', STYLES.muted, name);
  const line = styled('div', 'overflow-wrap:anywhere', label, ' ');
  place.append(line);
  if (typeof value === 'string' && (value.includes('\n') || value.length > 120)) {
    const block = styled('div', STYLES.scroll);
    line.append(block);
    const language = value.length < 30_000 ? (LANGUAGES[name] ?? '') : '';
    await renderCode(stage, value.slice(0, SHOWN_CHARS), language, block);
    return note(stage, value, line);
  }
  const json = dumps(value);
  if (json.length > 120) return drawJson(stage, value, line);
  line.append(styled('code', `${CODE_FONT};background:none;padding:0`, json));
}

/** Draws what a tool printed or displayed. */
export function drawOutput(stage: Stage, output: Output, place: HTMLElement): Promise<void> {
  if (output.kind === 'display') return drawBundle(stage, output.data, '', place);
  return drawPrinted(stage, output.kind, endOf(output.text), place);
}

/** A printed text without the note of where its next character goes. */
function endOf(said: string): string {
  const at = said.indexOf('\r', said.lastIndexOf('\n') + 1);
  return at < 0 ? said : said.slice(0, at);
}

/** Draws why a call failed: the last line of the traceback, the rest folded. */
export async function drawError(stage: Stage, item: ToolItem, place: HTMLElement): Promise<void> {
  const said = (item.traceback || item.content || 'The tool failed.').trim();
  const end = said.indexOf('\n');
  const first = styled('div', STYLES.error);
  first.className = 'lumos-raised';
  place.append(first);
  await drawPrinted(stage, 'stdout', end < 0 ? said : said.slice(0, end), first);
  if (end < 0 || !said.slice(end).trim()) return;
  const rest = said.slice(end + 1);
  place.append(fold(stage.trans.__('Traceback'), (body) => drawPrinted(stage, 'stdout', rest, body)));
}
