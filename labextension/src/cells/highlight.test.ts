import { markdown } from '@codemirror/lang-markdown';
import { python } from '@codemirror/lang-python';
import { history, undo } from '@codemirror/commands';
import { language } from '@codemirror/language';
import { EditorState } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { describe, expect, it, vi } from 'vitest';

import { CellLanguage } from './highlight';

// jsdom draws nothing, and CodeMirror would measure what is drawn.
Range.prototype.getClientRects = () => [] as unknown as DOMRectList;

const languages: any = {
  findByMIME: (mime: string) => (mime === 'text/x-markdown' ? { mime } : null),
  getLanguage: async (of: any) => ({ support: of === 'python' ? python() : markdown() }),
};

async function opened(source: string) {
  const cells = new CellLanguage(languages);
  const state = EditorState.create({ doc: source, extensions: [cells.extension(source), history(), python()] });
  const view = new EditorView({ state, parent: document.body });
  const name = () => view.state.facet(language)?.name;
  return { cells, view, name };
}

describe('an editor', () => {
  it('has the agents’ language while its first line is one of an agent, and undo brings it back', async () => {
    const { view, name } = await opened('%%agent\nGo');
    await vi.waitFor(() => expect(name()).toBe('lumos-agent'));
    view.dispatch({ changes: { from: 0, to: 2, insert: '# ' }, selection: { anchor: 5 } });
    expect([name(), view.state.selection.main.head]).toEqual(['python', 5]);
    undo(view);
    expect([name(), view.state.doc.toString()]).toEqual(['lumos-agent', '%%agent\nGo']);
  });

  it('becomes one while it is typed', async () => {
    const { view, name } = await opened('%%agen');
    expect(name()).toBe('python');
    view.dispatch({ changes: { from: 6, insert: 't' }, selection: { anchor: 7 } });
    await vi.waitFor(() => expect(name()).toBe('lumos-agent'));
    expect(view.state.selection.main.head).toBe(7);
  });

  it('is let alone where the settings say so', async () => {
    const { cells, name } = await opened('%%agent\nGo');
    await vi.waitFor(() => expect(name()).toBe('lumos-agent'));
    cells.enabled = false;
    expect(name()).toBe('python');
    cells.enabled = true;
    expect(name()).toBe('lumos-agent');
  });
});
