// What differs between two texts, by lines, and within lines that took each other's place by words.
//
// Myers' algorithm on the middle that differs. What would take too long is shown as replaced as a whole.

export interface Line {
  /** Kept, added or removed; a gap stands for lines that are kept and far from any change. */
  kind: ' ' | '+' | '-' | 'gap';
  text: string;
  /** Where words differ from the line whose place it took: from, to. */
  marks: [number, number][];
  /** For a gap: how many lines it stands for. */
  n?: number;
}

type Step = [' ' | '+' | '-', string];
const MOST_STEPS = 600;

/** The lines of both texts, in the order in which a diff shows them. */
export function diffLines(before: string, after: string): Line[] {
  const steps = diff(before.split('\n'), after.split('\n'));
  const lines = steps.map(([kind, text]): Line => ({ kind, text, marks: [] }));
  for (let i = 0; i < lines.length;) {
    const removed = run(lines, i, '-');
    const added = run(lines, i + removed, '+');
    if (removed && removed === added) for (let k = i; k < i + removed; k++) mark(lines[k], lines[k + removed]);
    i += Math.max(1, removed + added);
  }
  return lines;
}

/** The same with long stretches that are kept left out. */
export function folded(lines: Line[], context = 3): Line[] {
  const near = lines.map(() => false);
  lines.forEach(({ kind }, i) => {
    if (kind !== ' ') near.fill(true, Math.max(0, i - context), i + context + 1);
  });
  const shown: Line[] = [];
  for (let i = 0; i < lines.length;) {
    let end = i;
    while (end < lines.length && !near[end]) end++;
    if (end - i > 1) shown.push({ kind: 'gap', text: '', marks: [], n: end - i });
    else shown.push(lines[i]);
    i = Math.max(end, i + 1);
  }
  return shown;
}

function run(lines: Line[], from: number, kind: string): number {
  let n = 0;
  while (lines[from + n]?.kind === kind) n++;
  return n;
}

function mark(removed: Line, added: Line): void {
  const words = (text: string) => text.match(/\w+|\s+|[^\w\s]/g) ?? [];
  const steps = diff(words(removed.text), words(added.text));
  if (!steps.some(([kind, word]) => kind === ' ' && word.trim())) return; // nothing in common: the line says it
  let [a, b] = [0, 0];
  for (const [kind, word] of steps) {
    if (kind === '-') join(removed.marks, a, a + word.length);
    if (kind === '+') join(added.marks, b, b + word.length);
    if (kind !== '+') a += word.length;
    if (kind !== '-') b += word.length;
  }
}

function join(marks: [number, number][], from: number, to: number): void {
  const last = marks.at(-1);
  if (last?.[1] === from) last[1] = to;
  else marks.push([from, to]);
}

/** The shortest way from one list to another. */
function diff(a: string[], b: string[]): Step[] {
  let [head, tail] = [0, 0];
  while (head < Math.min(a.length, b.length) && a[head] === b[head]) head++;
  while (tail < Math.min(a.length, b.length) - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const kept = (text: string): Step => [' ', text];
  return [
    ...a.slice(0, head).map(kept),
    ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...a.slice(a.length - tail).map(kept),
  ];
}

function middle(a: string[], b: string[]): Step[] {
  let front = new Map<number, number>([[1, 0]]);
  const fronts: Map<number, number>[] = [];
  for (let d = 0; d <= Math.min(a.length + b.length, MOST_STEPS); d++) {
    fronts.push(front);
    front = new Map(front);
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (front.get(k - 1) ?? -1) < (front.get(k + 1) ?? -1));
      let x = down ? (front.get(k + 1) ?? 0) : (front.get(k - 1) ?? 0) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      front.set(k, x);
      if (x >= a.length && x - k >= b.length) return walked(a, b, fronts);
    }
  }
  return [...a.map((text): Step => ['-', text]), ...b.map((text): Step => ['+', text])];
}

function walked(a: string[], b: string[], fronts: Map<number, number>[]): Step[] {
  const steps: Step[] = [];
  let [x, y] = [a.length, b.length];
  for (let d = fronts.length - 1; d >= 0; d--) {
    const front = fronts[d];
    const k = x - y;
    const down = k === -d || (k !== d && (front.get(k - 1) ?? -1) < (front.get(k + 1) ?? -1));
    const before = down ? k + 1 : k - 1;
    const fromX = d ? (front.get(before) ?? 0) : 0;
    const fromY = d ? fromX - before : 0;
    while (x > fromX && y > fromY && a[x - 1] === b[y - 1]) {
      steps.push([' ', a[--x]]);
      y--;
    }
    if (!d) break;
    if (down) steps.push(['+', b[--y]]);
    else steps.push(['-', a[--x]]);
  }
  // Removed lines stand before those that take their place.
  const ordered: Step[] = [];
  for (const step of steps.reverse()) {
    let at = ordered.length;
    if (step[0] === '-') while (at && ordered[at - 1][0] === '+') at--;
    ordered.splice(at, 0, step);
  }
  return ordered;
}
