// The first line of a `%%agent` cell: read word by word, and changed as a person would change it.
//
// One idea: every menu edits this line; what a cell does stands in the cell.

import { AGENT_OPTIONS } from '../protocol';

export interface Option {
  names: readonly string[];
  takes: string;
  kind: string;
  help: string;
}

export interface Word {
  from: number;
  to: number;
  text: string;
  is: 'magic' | 'agent' | 'option' | 'value' | 'unknown';
  /** The option that a word is, or whose value it is. */
  option?: Option;
}

export interface FirstLine {
  from: number;
  to: number;
  words: Word[];
}

export interface Change {
  from: number;
  to: number;
  insert: string;
}

const MAGIC = /^(?:[ \t]*\r?\n)*[ \t]*%%agent(?![^\s])/;
const WORD = /(?:[^\s'"]|'[^']*(?:'|$)|"[^"]*(?:"|$))+/g;

export const OPTIONS: readonly Option[] = AGENT_OPTIONS;

/** The option of a name, as `-m` or `--model`. */
export const optionOf = (name: string): Option | undefined => OPTIONS.find((option) => option.names.includes(name));

/** Whether a cell is one of an agent. Looks at its first line only. */
export const isAgentCell = (source: string): boolean => MAGIC.test(source);

/** The first line of an agent's cell, or null. */
export function firstLine(source: string): FirstLine | null {
  const found = MAGIC.exec(source);
  if (!found) return null;
  const start = found[0].length;
  const end = source.indexOf('\n', start);
  const to = end < 0 ? source.length : end;
  const magic: Word = { from: start - '%%agent'.length, to: start, text: '%%agent', is: 'magic' };
  return { from: magic.from, to, words: [magic, ...wordsOf(source.slice(start, to), start)] };
}

function wordsOf(line: string, at: number): Word[] {
  const words: Word[] = [];
  let open: Option | undefined;
  for (const { 0: text, index } of line.matchAll(WORD)) {
    const [from, to] = [at + index, at + index + text.length];
    if (open) {
      words.push({ from, to, text, is: 'value', option: open });
      open = undefined;
    } else if (text.startsWith('-')) {
      const cut = text.startsWith('--') ? text.indexOf('=') : -1;
      const name = cut < 0 ? text : text.slice(0, cut);
      const option = optionOf(name);
      words.push({ from, to: from + name.length, text: name, is: option ? 'option' : 'unknown', option });
      if (option && cut >= 0) words.push({ from: from + cut + 1, to, text: text.slice(cut + 1), is: 'value', option });
      else if (option?.takes) open = option;
    } else {
      words.push({ from, to, text, is: words.some((word) => word.is === 'agent') ? 'unknown' : 'agent' });
    }
  }
  return words;
}

/** The value of an option on the line, true for one without, undefined where it is not there. */
export function valueOf(line: FirstLine, field: string): string | true | undefined {
  const option = optionOf(field);
  const value = line.words.find((word) => word.is === 'value' && word.option === option);
  if (value) return unquoted(value.text);
  return line.words.some((word) => word.is === 'option' && word.option === option) ? true : undefined;
}

/** The change that sets options of the line: to a value, to nothing more than their name, or away with null. */
export function changed(source: string, options: Record<string, string | true | null>): Change | null {
  const line = firstLine(source);
  if (!line) return null;
  const taken = Object.keys(options).map(optionOf);
  const left = line.words.filter((word) => !word.option || !taken.includes(word.option));
  const kept = left.map((word, i) => {
    const glued = i > 0 && word.is === 'value' && left[i - 1].to + 1 === word.from && source[left[i - 1].to] === '=';
    return (i === 0 ? '' : glued ? '=' : ' ') + word.text;
  });
  const set = Object.entries(options).filter(([, value]) => value !== null);
  const added = set.map(([name, value]) => (value === true ? ` ${name}` : ` ${name} ${quoted(value as string)}`));
  const last = left[left.length - 1];
  const waits = last.is === 'option' && !!last.option!.takes; // what came behind it would be its value
  const insert = [...kept.slice(0, waits ? -1 : undefined), ...added, ...(waits ? kept.slice(-1) : [])].join('');
  return insert === source.slice(line.from, line.to) ? null : { from: line.from, to: line.to, insert };
}

/** A value as the line has to have it: in quotes where a shell would need them. */
export function quoted(value: string): string {
  if (/^[\w./:@%+=,-]+$/.test(value)) return value;
  return value.includes("'") ? `'${value.replaceAll("'", `'"'"'`)}'` : `'${value}'`;
}

/** A cell that continues a thread, before its words. */
export const cellOn = (title: string): string => `%%agent -t ${quoted(title)}\n`;

function unquoted(text: string): string {
  return text.replace(/'([^']*)'|"([^"]*)"/g, (_, single, double) => single ?? double);
}

/** The option whose value the cursor is at or would begin, and where that begins. */
export function hintAt(source: string, cursor: number): { option: Option; from: number } | null {
  const line = firstLine(source);
  if (!line || cursor <= line.words[0].to || cursor > line.to) return null;
  const before = line.words.filter((word) => word.from < cursor || (word.is === 'value' && word.from === cursor));
  const word = before[before.length - 1];
  if (word?.is === 'value' && cursor <= word.to) return { option: word.option!, from: word.from };
  if (word?.is === 'option' && word.option!.takes && cursor > word.to) return { option: word.option!, from: cursor };
  return null;
}

/** Where `{{ expression }}` stand, with their braces; one that is still open counts to the end of its line. */
export function expressions(text: string, at = 0): { from: number; to: number }[] {
  const found = [];
  let start = text.indexOf('{{');
  while (start >= 0) {
    const line = text.indexOf('\n', start);
    const close = text.indexOf('}}', start + 2);
    const to = close >= 0 ? close + 2 : line < 0 ? text.length : line;
    found.push({ from: at + start, to: at + to });
    start = text.indexOf('{{', to);
  }
  return found;
}
