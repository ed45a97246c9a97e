// Asks the kernel what can stand at the cursor of an agent's cell; it answers while a cell runs, too.
//
// The kernel's own completer says the same names, for front ends without this extension. What both say is
// shown once, with our help beside it.

import {
  type CompletionHandler,
  type ICompletionContext,
  type ICompletionProvider,
  KernelCompleterProvider,
} from '@jupyterlab/completer';
import { NotebookPanel } from '@jupyterlab/notebook';

import type { ILinks } from '../kernel';
import { isAgentCell } from './firstline';

const LINE = /^[ \t]*%(agent|thread|trace|lumos)[ \t]/m;

export class AgentCompletion implements ICompletionProvider {
  readonly identifier = 'lumos-nb:completion';
  readonly rank = 1_000;
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

  shouldShowContinuousHint(): boolean {
    return false;
  }

  private link(context: ICompletionContext) {
    return context.widget instanceof NotebookPanel ? this.links.of(context.widget) : null;
  }
}
