// A run as Markdown, to be copied where its output holds none: as `widgets/bundle.py` writes it.

import { type RunDocument, text, type ToolItem } from './document';
import { ASK_AGAIN, failure, isUnanswered, oneLine, outcome, shortArguments, summary } from './words';

/** The run as Markdown: what was said, and each tool call as a quoted line. */
export function markdownOf(doc: RunDocument): string {
  const parts = doc.items.map((item) => {
    if (item.kind === 'tool') {
      const call = quoted(`${item.name}(${shortArguments(item.arguments)})`);
      return `> ${call} ${outcome(item)}${gave(item)}`;
    }
    if (item.kind === 'user') return `> **You:** ${item.text.trim().replaceAll('\n', '\n> ')}`;
    return item.kind === 'text' ? item.text.trim() : '';
  });
  return [...parts, failure(doc), `*${summary(doc).join(' · ')}*`].filter(Boolean).join('\n\n');
}

function gave(item: ToolItem): string {
  const said =
    item.status === 'error'
      ? (item.traceback || item.content).trim()
      : isUnanswered(item)
        ? ASK_AGAIN
        : item.status === 'denied'
          ? ''
          : item.content || text(item.display['text/plain']);
  return said.trim() ? `  ${oneLine(said, 200)}` : '';
}

function quoted(code: string): string {
  if (!code.includes('`')) return `\`${code}\``;
  const longest = Math.max(...code.split(/\s+/).map((word) => (word.includes('`') ? word.length : 0)));
  const ticks = '`'.repeat(longest + 1);
  return `${ticks} ${code} ${ticks}`;
}
