// The language of an agent's cell: a magic in the first line, Markdown below it, Python between double braces.
//
// One idea: the parsers are those that JupyterLab has; only their places are ours.

import { Language, LanguageSupport, defineLanguageFacet } from '@codemirror/language';
import {
  type Input,
  NodeSet,
  NodeType,
  Parser,
  type PartialParse,
  Tree,
  type TreeFragment,
  parseMixed,
} from '@lezer/common';
import { styleTags, tags } from '@lezer/highlight';

import { type Word, expressions, firstLine } from './firstline';

const NAMES = ['Cell', 'magic', 'agent', 'option', 'value', 'unknown', 'Prompt'] as const;
const NODES = new NodeSet(
  NAMES.map((name, id) => NodeType.define({ id, name, top: name === 'Cell', props: [] })),
).extend(
  styleTags({
    magic: tags.meta,
    agent: tags.definition(tags.name),
    option: tags.keyword,
    value: tags.string,
    unknown: tags.invalid,
  }),
);
const node = (name: (typeof NAMES)[number]) => NODES.types[NAMES.indexOf(name)];

/** The tree of a cell: the words of its first line, then the prompt as one node. */
function treeOf(source: string): Tree {
  const line = firstLine(source);
  const at = line?.to ?? 0;
  const words = (line?.words ?? []).filter((word: Word) => word.to > word.from);
  const children = words.map((word) => new Tree(node(word.is), [], [], word.to - word.from));
  const positions = words.map((word) => word.from);
  if (source.length > at) {
    children.push(new Tree(node('Prompt'), [], [], source.length - at));
    positions.push(at);
  }
  return new Tree(node('Cell'), children, positions, source.length);
}

class Outer implements PartialParse {
  stoppedAt: number | null = null;

  constructor(private readonly input: Input) {}

  get parsedPos(): number {
    return this.input.length;
  }

  advance(): Tree {
    return treeOf(this.input.read(0, this.input.length));
  }

  stopAt(at: number): void {
    this.stoppedAt = at;
  }
}

class CellParser extends Parser {
  private readonly wrap;

  constructor(markdown: Parser, python: Parser) {
    super();
    const inner = withPython(markdown, python);
    this.wrap = parseMixed((at) => (at.type === node('Prompt') ? { parser: inner } : null));
  }

  createParse(input: Input, fragments: readonly TreeFragment[], ranges: readonly { from: number; to: number }[]) {
    return this.wrap(new Outer(input), input, fragments, ranges);
  }
}

/** Markdown in which what stands between double braces is Python. */
function withPython(markdown: Parser, python: Parser): Parser {
  const configurable = markdown as Parser & { configure?: (options: unknown) => Parser };
  const wrap = parseMixed((at, input) => {
    if (at.name !== 'Document') return null;
    const overlay = expressions(input.read(at.from, at.to), at.from);
    return overlay.length ? { parser: python, overlay } : null;
  });
  return configurable.configure ? configurable.configure({ wrap }) : markdown;
}

/** The language, made of the two that JupyterLab has loaded. */
export function agentLanguage(markdown: Language, python: Language): LanguageSupport {
  const data = defineLanguageFacet({ commentTokens: { block: { open: '<!--', close: '-->' } } });
  return new LanguageSupport(new Language(data, new CellParser(markdown.parser, python.parser), [], 'lumos-agent'));
}
