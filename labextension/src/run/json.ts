// JSON as it was written: a number that JavaScript cannot hold keeps its digits.

/** A number with its digits, where the page's own numbers would change it: 12345678901234567890, 1.0. */
class Exact {
  constructor(readonly text: string) {}
}

/** The value of a JSON text, or undefined where it is none. */
export function parsed(text: string): unknown {
  try {
    const keep = (_: string, value: unknown, context?: { source?: string }) =>
      typeof value === 'number' && context?.source !== undefined && String(value) !== context.source
        ? new Exact(context.source)
        : value;
    return JSON.parse(text, keep as (key: string, value: unknown) => unknown);
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
