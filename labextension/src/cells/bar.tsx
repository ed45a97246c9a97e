// The bar above an agent's cell: its thread, its tape, dry run and run.
//
// One idea: a menu changes the first line of the cell, as its person would; nothing runs that nobody started.

import type { Cell } from '@jupyterlab/cells';
import { type IDisposable, DisposableDelegate } from '@lumino/disposable';
import { ReactWidget, caretDownIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ISettings } from '../commands/settings';
import { type Choice, openMenu } from '../menu';
import type { Status } from '../protocol';
import { changed, firstLine, valueOf } from './firstline';

/** What the bar shows that the cell does not say itself. */
export interface Surroundings {
  readonly status: Status | null;
  /** Titles of threads, the last used first. */
  threads(): Promise<string[]>;
  onChange(listener: () => void): IDisposable;
}

export interface Acts {
  run(cell: Cell): void;
  dryRun(cell: Cell): void;
}

const TAPE_OPTIONS = ['--live', '--record', '--replay'];
const LONGEST = 18;
const short = (text: string) => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);

/** The bar of one cell; nothing while the cell is not one of an agent. */
export class AgentBar extends ReactWidget {
  private readonly heard: IDisposable;

  constructor(
    private readonly cell: Cell,
    private readonly around: Surroundings,
    private readonly acts: Acts,
    private readonly settings: ISettings,
    private readonly trans: TranslationBundle,
  ) {
    super();
    this.addClass('lumos-cell-bar');
    const refresh = () => this.update();
    cell.model.contentChanged.connect(refresh);
    settings.changed.connect(refresh);
    const around_ = around.onChange(refresh);
    this.heard = new DisposableDelegate(() => {
      around_.dispose();
      cell.model?.contentChanged.disconnect(refresh);
      settings.changed.disconnect(refresh);
    });
  }

  dispose(): void {
    this.heard.dispose();
    super.dispose();
  }

  private get source(): string {
    return this.cell.model?.sharedModel.getSource() ?? '';
  }

  protected render(): React.ReactElement | null {
    const line = this.settings.get('cellToolbar') ? firstLine(this.source) : null;
    if (!line) return null;
    const { trans } = this;
    const named = valueOf(line, '-t');
    const thread = valueOf(line, '--new') ? trans.__('new thread') : (named ?? this.around.status?.thread);
    return (
      <div role="toolbar" aria-label={trans.__('Agent’s cell')}>
        <button
          type="button"
          aria-haspopup="menu"
          title={trans.__('Which thread this cell continues')}
          onClick={({ currentTarget }) => void this.openThreads(currentTarget)}
        >
          {short(typeof thread === 'string' && thread ? thread : trans.__('thread'))}
          <caretDownIcon.react tag="span" width="10px" height="10px" />
        </button>
        <button
          type="button"
          aria-haspopup="menu"
          title={trans.__('Ask the model, record, or replay')}
          onClick={({ currentTarget }) => open(currentTarget, this.tapeMenu())}
        >
          {tapeLabel(line, this.around.status, trans)}
          <caretDownIcon.react tag="span" width="10px" height="10px" />
        </button>
        <button
          type="button"
          title={trans.__('Show what this cell would send and what it may cost')}
          onClick={() => this.acts.dryRun(this.cell)}
        >
          {trans.__('Dry run')}
        </button>
        <button type="button" title={trans.__('Run this cell')} onClick={() => this.acts.run(this.cell)}>
          {trans.__('Run')}
        </button>
      </div>
    );
  }

  private async openThreads(target: Element): Promise<void> {
    const titles = await this.around.threads().catch(() => []);
    open(target, this.threadMenu(titles));
  }

  private tapeMenu(): Choice[] {
    const { trans } = this;
    const now = firstLine(this.source)!;
    const mode = this.around.status?.tape || trans.__('live');
    const named = TAPE_OPTIONS.find((name) => valueOf(now, name));
    const away = Object.fromEntries(TAPE_OPTIONS.map((name) => [name, null]));
    const choice = (label: string, name?: string): Choice => ({
      label,
      act: () => this.change({ ...away, ...(name ? { [name]: true } : {}) }),
      isToggled: named === name,
    });
    return [
      choice(trans.__('As the notebook (%1)', mode)),
      choice(trans.__('Live: ask the model'), '--live'),
      choice(trans.__('Record on the tape'), '--record'),
      choice(trans.__('Replay from the tape'), '--replay'),
    ];
  }

  private threadMenu(titles: string[]): (Choice | null)[] {
    const { trans } = this;
    const now = firstLine(this.source)!;
    const [named, isNew, current] = [valueOf(now, '-t'), !!valueOf(now, '--new'), this.around.status?.thread];
    const choice = (label: string, options: Record<string, string | true | null>, isToggled: boolean): Choice => ({
      label,
      act: () => this.change({ '-t': null, '--new': null, ...options }),
      isToggled,
    });
    return [
      choice(
        current ? trans.__('Current: %1', current) : trans.__('Current thread'),
        {},
        named === undefined && !isNew,
      ),
      choice(trans.__('New thread'), { '--new': true }, isNew),
      null,
      ...titles.filter((title) => title !== current).map((title) => choice(title, { '-t': title }, named === title)),
    ];
  }

  /** Changes the first line; one undo takes it back. */
  private change(options: Record<string, string | true | null>): void {
    const change = changed(this.source, options);
    if (change) this.cell.model.sharedModel.updateSource(change.from, change.to, change.insert);
  }
}

function open(target: Element, choices: (Choice | null)[]): void {
  const box = target.getBoundingClientRect();
  openMenu(choices, box.left, box.bottom);
}

function tapeLabel(line: NonNullable<ReturnType<typeof firstLine>>, status: Status | null, trans: TranslationBundle) {
  if (valueOf(line, '--live')) return trans.__('live');
  if (valueOf(line, '--record')) return trans.__('record');
  if (valueOf(line, '--replay')) return trans.__('replay');
  return status?.tape || trans.__('live');
}
