// What stands where a run was shown, and its kernel is gone.

import type { IRenderMime } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

/** What is said of a run that is shown no more. */
export function leftText(trans: TranslationBundle, isLinked: boolean): string {
  return isLinked
    ? trans.__('A run of an agent was shown here. This kernel knows nothing of it; %trace df lists those it knows.')
    : trans.__('A run of an agent was shown here. It comes back when a cell has run %load_ext lumos_nb.');
}

export class LeftRun extends Widget implements IRenderMime.IRenderer {
  constructor(private readonly trans: TranslationBundle) {
    super();
    this.addClass('lumos-left');
  }

  async renderModel(): Promise<void> {
    this.node.textContent = leftText(this.trans, false);
  }
}
