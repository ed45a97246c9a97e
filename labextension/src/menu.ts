// A menu at a place of the page: the threads of a cell, what can be done to a row, the commands.

import { MenuSvg } from '@jupyterlab/ui-components';
import { CommandRegistry } from '@lumino/commands';

export interface Choice {
  label: string;
  act: () => unknown;
  /** Whether it cannot be done now. */
  isOff?: boolean;
  /** Whether it is the one that holds. */
  isToggled?: boolean;
}

/** Opens a menu of these choices, with lines where one is null. */
export function openMenu(choices: (Choice | null)[], x: number, y: number): void {
  const commands = new CommandRegistry();
  const menu = new MenuSvg({ commands });
  choices.forEach((choice, n) => {
    if (!choice) return void menu.addItem({ type: 'separator' });
    const { label, act, isOff, isToggled } = choice;
    const toggle = isToggled === undefined ? {} : { isToggled: () => isToggled };
    commands.addCommand(String(n), { label, execute: () => act(), isEnabled: () => !isOff, ...toggle });
    menu.addItem({ command: String(n) });
  });
  menu.aboutToClose.connect(() => requestAnimationFrame(() => menu.dispose()));
  menu.open(x, y);
}
