// The rows of a run: texts, folded reasoning, tool calls that open, what a person said.
//
// One idea: the frames and styles are those of the saved HTML (`SHELLS`), so that the one can take the
// other's place unseen; what a row opens to is drawn when it is opened.

import { element, styled } from '../elements';
import { SHELLS, STYLES } from '../protocol';
import type { Item, TextItem, ToolItem } from './document';
import { frame, onFirstOpen } from './frames';
import { renderMarkdown } from './markdown';
import type { Stage } from './stage';
import { drawArguments, drawBundle, drawError, drawOutput } from './values';
import * as words from './words';

/** Returns an item as a row; what stands open in it is drawn when `ready` resolves. */
export function rowOf(stage: Stage, item: Item): { node: HTMLElement; ready: Promise<unknown> } {
  if (item.kind === 'tool') return toolRow(stage, item);
  const node = frame(SHELLS[item.kind]);
  if (item.kind === 'user') return { node: said(stage, node, item), ready: Promise.resolve() };
  const place = node.lastElementChild as HTMLElement;
  if (item.kind === 'text') return { node, ready: renderMarkdown(stage, item.text, place) };
  return { node, ready: reasoning(stage, node as HTMLDetailsElement, item, place) };
}

function said(stage: Stage, node: HTMLElement, item: TextItem): HTMLElement {
  const text = styled('div', 'white-space:pre-wrap', item.text);
  text.className = 'lumos-plain';
  node.firstElementChild?.append(styled('div', STYLES.muted, stage.trans.__('You')), text);
  return node;
}

function reasoning(stage: Stage, node: HTMLDetailsElement, item: TextItem, place: HTMLElement): Promise<unknown> {
  node.querySelector('summary')?.append(words.reasoningState(item.duration_s));
  node.open = item.open ?? false;
  return filled(node, () => renderMarkdown(stage, item.text, place));
}

function toolRow(stage: Stage, item: ToolItem): { node: HTMLElement; ready: Promise<unknown> } {
  const node = frame(SHELLS.tool) as HTMLDetailsElement;
  node.querySelector('summary')?.append(toolHead(item));
  const failed = item.status === 'error';
  node.open = item.open ?? (failed || words.isUnanswered(item) || item.status === 'waiting');
  return { node, ready: filled(node, () => toolBody(stage, item, node.lastElementChild as HTMLElement)) };
}

/** Fills a part when it is open; the promise is that of a part that is open from the start. */
function filled(node: HTMLDetailsElement, fill: () => Promise<unknown>): Promise<unknown> {
  let ready: Promise<unknown> = Promise.resolve();
  onFirstOpen(node, () => (ready = fill()));
  return ready;
}

function toolHead(item: ToolItem): HTMLElement {
  const isDecided = item.status === 'denied' && item.decision !== null;
  const state = isDecided ? '' : words.toolState(item);
  const decided = words.oneLine(words.decision(item), 120);
  const colour = item.status === 'error' ? STYLES.error : STYLES.muted;
  const line = styled('span', STYLES.line, element('strong', '', item.name), ' ');
  line.append(styled('span', `${STYLES.cut};${STYLES.muted}`, words.shortArguments(item.arguments)), ' ');
  const style = `${STYLES.cut};flex:0 1 auto;max-width:max(45%,11em);${STYLES.muted}`;
  if (decided) line.append(styled('span', style, decided), ' ');
  if (state) line.append(styled('span', `white-space:nowrap;margin-left:auto;${colour}`, state));
  return line;
}

async function toolBody(stage: Stage, item: ToolItem, body: HTMLElement): Promise<void> {
  const { trans } = stage;
  const section = (label: string, draw: (place: HTMLElement) => unknown) => drawSection(body, label, draw);
  const [failed, unanswered] = [item.status === 'error', words.isUnanswered(item)];
  const asked = item.decision?.asked ?? null;
  if (asked !== null) await section(trans.__('Asked for'), (place) => drawArguments(stage, asked, place));
  await section(trans.__('Arguments'), (place) => drawArguments(stage, item.arguments, place));
  const hasResult = Object.keys(item.display).length > 0 || item.content || item.status === 'ok';
  if (hasResult && !failed && !unanswered && item.status !== 'running' && item.status !== 'waiting')
    await section(trans.__('Result'), (place) => drawBundle(stage, item.display, item.content, place));
  if (failed) await section(trans.__('Error'), (place) => drawError(stage, item, place));
  if (unanswered) await section(trans.__('Question'), (place) => drawQuestion(place));
  const reason = item.status === 'denied' ? (item.decision?.reason.trim() ?? '') : '';
  if (reason) await section(trans.__('Reason'), (place) => place.append(reason));
  const outputs = item.output.filter((output) => output.kind !== 'clear');
  for (const [i, output] of outputs.entries())
    await section(i ? '' : trans.__('Output'), (place) => drawOutput(stage, output, place));
}

function drawQuestion(place: HTMLElement): void {
  const [before, after] = words.ASK_AGAIN.split('%agent resume');
  place.append(`It was waiting for an answer. ${before}`, element('code', '', '%agent resume'), after);
}

async function drawSection(body: HTMLElement, label: string, draw: (place: HTMLElement) => unknown): Promise<void> {
  const place = styled('div', 'flex:1 1 0;min-width:0');
  const row = styled('div', 'display:flex;gap:12px;margin:2px 0;align-items:baseline');
  row.append(styled('div', `flex:0 0 84px;${STYLES.muted}`, label), place);
  body.append(row);
  try {
    await draw(place);
  } catch (error) {
    place.replaceChildren(styled('span', STYLES.muted, `This cannot be drawn: ${String(error)}`));
  }
  if (place.firstElementChild?.tagName === 'IMG') row.style.alignItems = 'flex-start';
  if (!place.hasChildNodes()) row.remove();
}
