// JSON as it was written: a number that JavaScript cannot hold keeps its digits.

/** A number with its digits, where the page's own numbers would change it: 12345678901234567890, 1.0. */
class Exact {
  constructor(readonly text: string) {}
}

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const EXACT = '\ue005'; // begins a text that stands for such a number while it is read

/** The value of a JSON text, or undefined where it is none. */
export function parsed(text: string): unknown {
  const held = (token: string) =>
    token.startsWith('"') || String(Number(token)) === token ? token : `"${EXACT}${token}"`;
  const give = (_: string, value: unknown) =>
    typeof value === 'string' && value.startsWith(EXACT) ? new Exact(value.slice(1)) : value;
  try {
    JSON.parse(text); // only what is right to begin with
    return JSON.parse(text.replace(TOKEN, held), give);
  } catch {
    return undefined;
  }
}

/** A value as JSON; on one line as Python writes it, or indented. */
export function dumps(value: unknown, indent = 0, depth = 1): string {
  if (value instanceof Exact) return value.text;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (depth > 200) return '…';
  const isList = Array.isArray(value);
  const parts = isList
    ? value.map((one) => dumps(one, indent, depth + 1))
    : Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${dumps(one, indent, depth + 1)}`);
  const [open, close] = isList ? '[]' : '{}';
  if (!indent || !parts.length) return open + parts.join(', ') + close;
  const margin = '\n' + ' '.repeat(indent * depth);
  return open + margin + parts.join(',' + margin) + '\n' + ' '.repeat(indent * (depth - 1)) + close;
}
