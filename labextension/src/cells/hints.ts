// Says what an option's value takes, while it is typed.

import { type EditorState, StateField } from '@codemirror/state';
import { type Tooltip, showTooltip } from '@codemirror/view';
import type { TranslationBundle } from '@jupyterlab/translation';

import { element } from '../elements';
import { hintAt } from './firstline';

/** A tooltip above the value at the cursor, while the editor has the focus. */
export function hints(trans: TranslationBundle, isOn: () => boolean) {
  const at = (state: EditorState): Tooltip | null => {
    const { main } = state.selection;
    if (!isOn() || !main.empty || state.doc.lineAt(main.head).length > 2_000) return null;
    const found = hintAt(state.doc.sliceString(0, state.doc.lineAt(main.head).to), main.head);
    if (!found) return null;
    return { pos: found.from, above: true, create: () => ({ dom: drawn(found.option, trans) }) };
  };
  return StateField.define<Tooltip | null>({
    create: () => null,
    update: (before, transaction) => {
      if (!transaction.docChanged && !transaction.selection) return before;
      const now = at(transaction.state);
      return now && before && now.pos === before.pos && !transaction.docChanged ? before : now;
    },
    provide: (field) => showTooltip.from(field),
  });
}

function drawn(option: { names: readonly string[]; takes: string; help: string }, trans: TranslationBundle) {
  const head = element('code', '', `${option.names.join(', ')} ${option.takes}`);
  const dom = element('div', 'lumos-cell-hint', head, element('span', '', trans.__(option.help)));
  dom.setAttribute('role', 'tooltip');
  return dom;
}
