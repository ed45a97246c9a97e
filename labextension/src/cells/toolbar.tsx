// What the toolbar of an agent's cell has beside JupyterLab's own: run, dry run, tape and thread.
//
// One idea: a menu changes the first line of the cell, as its person would; nothing runs that nobody started.

import type { Cell } from '@jupyterlab/cells';
import { type IDisposable, DisposableDelegate } from '@lumino/disposable';
import { MenuSvg, ReactWidget, ToolbarButtonComponent, caretDownIcon, runIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import * as React from 'react';

import type { ISettings } from '../commands/settings';
import type { Status } from '../protocol';
import { changed, firstLine, isAgentCell, valueOf } from './firstline';

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

const LONGEST = 18;
const short = (text: string) => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);

/** The bar of one cell; empty and hidden while the cell is not one of an agent. */
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
    const refresh = () => this.refresh();
    cell.model.contentChanged.connect(refresh);
    settings.changed.connect(refresh);
    const around_ = around.onChange(refresh);
    this.heard = new DisposableDelegate(() => {
      around_.dispose();
      cell.model?.contentChanged.disconnect(refresh);
      settings.changed.disconnect(refresh);
    });
    this.refresh();
  }

  dispose(): void {
    this.heard.dispose();
    super.dispose();
  }

  private get source(): string {
    return this.cell.model.sharedModel.getSource();
  }

  private refresh(): void {
    if (this.isDisposed || this.cell.isDisposed) return;
    const isOn = this.settings.get('cellToolbar') && this.cell.model.type === 'code' && isAgentCell(this.source);
    this.setHidden(!isOn);
    this.update();
  }

  protected render(): React.ReactElement | null {
    const line = firstLine(this.source);
    if (!line || this.isHidden) return null;
    const { trans } = this;
    const thread =
      valueOf(line, '-t') ?? (valueOf(line, '--new') ? trans.__('new thread') : this.around.status?.thread);
    return (
      <>
        <ToolbarButtonComponent
          icon={runIcon}
          tooltip={trans.__('Run this cell')}
          onClick={() => this.acts.run(this.cell)}
        />
        <ToolbarButtonComponent
          label={trans.__('Dry run')}
          tooltip={trans.__('Show what this cell would send and what it may cost')}
          onClick={() => this.acts.dryRun(this.cell)}
        />
        <ToolbarButtonComponent
          label={tapeLabel(line, this.around.status, trans)}
          icon={caretDownIcon}
          tooltip={trans.__('Ask the model, record, or replay')}
          onClick={(event) => this.open(event, this.tapeMenu())}
        />
        <ToolbarButtonComponent
          label={short(typeof thread === 'string' && thread ? thread : trans.__('thread'))}
          icon={caretDownIcon}
          tooltip={trans.__('Which thread this cell continues')}
          onClick={(event) => void this.openThreads(event)}
        />
      </>
    );
  }

  private async openThreads(event?: React.SyntheticEvent): Promise<void> {
    const target = event?.currentTarget ?? null;
    const titles = await this.around.threads().catch(() => []);
    this.open({ currentTarget: target } as React.SyntheticEvent, this.threadMenu(titles));
  }

  private open(event: Pick<React.SyntheticEvent, 'currentTarget'> | undefined, menu: MenuSvg): void {
    const box = ((event?.currentTarget as Element | null) ?? this.node).getBoundingClientRect();
    menu.open(box.left, box.bottom);
  }

  private tapeMenu(): MenuSvg {
    const { trans } = this;
    const now = firstLine(this.source)!;
    const mode = this.around.status?.tape || trans.__('live');
    const set = (name: string | null) => () =>
      this.change({ '--live': null, '--record': null, '--replay': null, ...(name ? { [name]: true } : {}) });
    const named = ['--live', '--record', '--replay'].find((name) => valueOf(now, name));
    return menuOf([
      [trans.__('As the notebook (%1)', mode), set(null), !named],
      [trans.__('Live: ask the model'), set('--live'), named === '--live'],
      [trans.__('Record on the tape'), set('--record'), named === '--record'],
      [trans.__('Replay from the tape'), set('--replay'), named === '--replay'],
    ]);
  }

  private threadMenu(titles: string[]): MenuSvg {
    const { trans } = this;
    const now = firstLine(this.source)!;
    const [named, isNew, current] = [valueOf(now, '-t'), !!valueOf(now, '--new'), this.around.status?.thread];
    return menuOf([
      [
        current ? trans.__('Current: %1', current) : trans.__('Current thread'),
        () => this.change({ '-t': null, '--new': null }),
        named === undefined && !isNew,
      ],
      [trans.__('New thread'), () => this.change({ '-t': null, '--new': true }), isNew],
      null,
      ...titles
        .filter((title) => title !== current)
        .map(
          (title) =>
            [title, () => this.change({ '-t': title, '--new': null }), named === title] as [
              string,
              () => void,
              boolean,
            ],
        ),
    ]);
  }

  /** Changes the first line; one undo takes it back. */
  private change(options: Record<string, string | true | null>): void {
    const change = changed(this.source, options);
    if (change) this.cell.model.sharedModel.updateSource(change.from, change.to, change.insert);
  }
}

function tapeLabel(line: NonNullable<ReturnType<typeof firstLine>>, status: Status | null, trans: TranslationBundle) {
  if (valueOf(line, '--live')) return trans.__('live');
  if (valueOf(line, '--record')) return trans.__('record');
  if (valueOf(line, '--replay')) return trans.__('replay');
  return status?.tape || trans.__('live');
}

/** A menu of labels, what each does, and whether it is the one that holds; null is a line between them. */
export function menuOf(items: ([string, () => void, boolean] | null)[]): MenuSvg {
  const commands = new CommandRegistry();
  const menu = new MenuSvg({ commands });
  items.forEach((item, i) => {
    if (!item) return void menu.addItem({ type: 'separator' });
    const [label, execute, isToggled] = item;
    commands.addCommand(`${i}`, { label, execute, isToggled: () => isToggled });
    menu.addItem({ command: `${i}` });
  });
  menu.addClass('lumos-menu');
  return menu;
}
