// Switches the editor of a cell to the agents' language while its first line is one of an agent.
//
// The switch is part of the change that makes it (a transaction extender): cursor and undo know nothing of it.

import { type Language, type LanguageSupport, indentService } from '@codemirror/language';
import { Compartment, EditorState, type Extension, Prec } from '@codemirror/state';
import { EditorView, ViewPlugin } from '@codemirror/view';
import type { IEditorExtensionRegistry, IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import type { Text } from '@codemirror/state';

import { isAgentCell } from './firstline';

const MARKDOWN = ['text/x-ipythongfm', 'text/x-markdown'];
/** A new line begins as the one before: no parser's idea of blocks holds in prose. */
const AS_THE_LINE_BEFORE = indentService.of(() => null);
const LOOKED_AT = 2_000;

/** What an agent's cell has beyond other cells: nothing until its language is there. */
export class CellLanguage {
  private language: LanguageSupport | null = null;
  private loading: Promise<void> | null = null;
  private views = new Set<EditorView>();
  private readonly compartment = new Compartment();
  private isOn = true;

  constructor(
    private readonly languages: IEditorLanguageRegistry,
    private readonly more: Extension = [],
  ) {}

  /** Switches highlighting on or off, in open editors, too. */
  set enabled(isOn: boolean) {
    this.isOn = isOn;
    this.refresh();
  }

  /** For `IEditorExtensionRegistry`: code cells have it, other editors do not. */
  register(extensions: IEditorExtensionRegistry): void {
    extensions.addExtension({
      name: 'lumos-agent-cell',
      factory: ({ model }) => {
        if ((model as { type?: string }).type !== 'code') return null;
        const extension = this.extension(model.sharedModel.getSource());
        return { instance: () => extension, reconfigure: () => null };
      },
    });
  }

  extension(source: string): Extension {
    const { views } = this;
    const seen = ViewPlugin.define((view) => {
      views.add(view);
      return { destroy: () => void views.delete(view) };
    });
    const switching = EditorState.transactionExtender.of((transaction) => {
      if (!transaction.docChanged) return null;
      const is = isAgent(transaction.newDoc);
      if (is === isAgent(transaction.startState.doc)) return null;
      return { effects: this.compartment.reconfigure(this.of(is)) };
    });
    return [Prec.highest(this.compartment.of(this.of(isAgentCell(source)))), switching, seen];
  }

  private of(is: boolean): Extension {
    if (!is) return [];
    if (!this.language) void this.load();
    const highlighted = this.isOn && this.language ? [this.language, EditorView.lineWrapping, AS_THE_LINE_BEFORE] : [];
    return [highlighted, EditorView.editorAttributes.of({ class: 'lumos-agent-editor' }), this.more];
  }

  private load(): Promise<void> {
    this.loading ??= (async () => {
      const found = MARKDOWN.map((mime) => this.languages.findByMIME(mime)).find((language) => language?.mime);
      const [markdown, python] = await Promise.all([
        found && this.languages.getLanguage(found),
        this.languages.getLanguage('python'),
      ]);
      if (!markdown?.support || !python?.support) return;
      const { agentLanguage } = await import('./language');
      this.language = agentLanguage(markdown.support.language as Language, python.support.language as Language);
      this.refresh();
    })();
    return this.loading;
  }

  private refresh(): void {
    for (const view of this.views) {
      view.dispatch({ effects: this.compartment.reconfigure(this.of(isAgent(view.state.doc))) });
    }
  }
}

function isAgent(doc: Text): boolean {
  return isAgentCell(doc.sliceString(0, LOOKED_AT));
}
