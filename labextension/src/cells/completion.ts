// Asks the kernel what can stand at the cursor of an agent's cell; it answers while a cell runs, too.
//
// The kernel's own completer says the same names, for front ends without this extension. What both say is
// shown once, with our help beside it.

import {
  Completer,
  CompleterModel,
  type CompletionHandler,
  type ICompletionContext,
  type ICompletionProvider,
  KernelCompleterProvider,
} from '@jupyterlab/completer';
import { NotebookPanel } from '@jupyterlab/notebook';

import type { ILinks } from '../kernel';
import { isAgentCell } from './firstline';

/** Kinds of names that only our kernel side says. */
const KINDS = new Set(['option', 'agent', 'thread', 'model', 'tool', 'type', 'command', 'run']);
const MOST = 60; // letters of help that fit beside a name
const LINE = /^[ \t]*%(agent|thread|trace|lumos)[ \t]/m;

/** Leaves out the words of a prompt that JupyterLab finds in its text: what has no kind says nothing. */
class QuietModel extends CompleterModel {
  constructor(private readonly isInPrompt: () => boolean | undefined) {
    super();
  }

  setCompletionItems(items: CompletionHandler.ICompletionItems): void {
    super.setCompletionItems(this.isInPrompt() ? items.filter(({ type }) => type) : items);
  }
}

/** Puts the help of our names beside them; other items are drawn as ever. */
class HelpfulRenderer extends Completer.Renderer {
  createCompletionItemNode(item: CompletionHandler.ICompletionItem, types: string[]): HTMLLIElement {
    const node = super.createCompletionItemNode(item, types);
    const help = helpOf(item);
    const kind = node.querySelector('.jp-Completer-typeExtended');
    if (help && kind) {
      kind.textContent = help;
      kind.classList.add('lumos-completion-help');
    }
    return node;
  }

  /** How wide an item is: JupyterLab draws the widest one to know how wide the list must be. */
  itemWidthHeuristic(item: CompletionHandler.ICompletionItem): number {
    const help = helpOf(item);
    return help ? item.label.length + Math.min(help.length, MOST) : super.itemWidthHeuristic(item);
  }
}

function helpOf(item: CompletionHandler.ICompletionItem): string {
  return (KINDS.has(item.type ?? '') && item.documentation) || '';
}

export class AgentCompletion implements ICompletionProvider {
  readonly identifier = 'lumos-nb:completion';
  readonly rank = 1_000;
  readonly renderer = new HelpfulRenderer();
  private readonly kernels = new KernelCompleterProvider();

  constructor(private readonly links: ILinks) {}

  async isApplicable(context: ICompletionContext): Promise<boolean> {
    const source = context.editor?.model.sharedModel.getSource() ?? '';
    return !!this.link(context) && (isAgentCell(source) || LINE.test(source));
  }

  async fetch(
    request: CompletionHandler.IRequest,
    context: ICompletionContext,
  ): Promise<CompletionHandler.ICompletionItemsReply> {
    const link = this.link(context);
    if (!link) return { start: request.offset, end: request.offset, items: [] };
    const { start, end, items } = await link.ask('cells.complete', { source: request.text, cursor: request.offset });
    return {
      start,
      end,
      items: items.map(({ text, kind, help }) => ({ label: text, type: kind, documentation: help || undefined })),
    };
  }

  /** What says nothing about itself is looked up in the kernel, where it is a value of Python. */
  async resolve(item: CompletionHandler.ICompletionItem, context: ICompletionContext): Promise<typeof item> {
    if (item.documentation || !/variable|attribute|function|instance|class/.test(item.type ?? '')) return item;
    return this.kernels.resolve(item, context);
  }

  async modelFactory(): Promise<Completer.IModel> {
    return new QuietModel(() => {
      const cell = this.links.panel?.content.activeCell;
      return cell?.model.type === 'code' && isAgentCell(cell.model.sharedModel.getSource());
    });
  }

  private link(context: ICompletionContext) {
    return context.widget instanceof NotebookPanel ? this.links.of(context.widget) : null;
  }
}
