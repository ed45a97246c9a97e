// The menu of a row: what can be done to it.

import { CommandRegistry } from '@lumino/commands';
import { Menu } from '@lumino/widgets';

export interface Choice {
  label: string;
  act: () => unknown;
  isOff?: boolean;
}

/** Opens a menu of these choices, with lines where one is null. */
export function openMenu(choices: (Choice | null)[], x: number, y: number): void {
  const commands = new CommandRegistry();
  const menu = new Menu({ commands });
  menu.addClass('lumos-menu');
  choices.forEach((choice, n) => {
    if (!choice) return void menu.addItem({ type: 'separator' });
    commands.addCommand(String(n), {
      label: choice.label,
      execute: () => choice.act(),
      isEnabled: () => !choice.isOff,
    });
    menu.addItem({ command: String(n) });
  });
  menu.aboutToClose.connect(() => requestAnimationFrame(() => menu.dispose()));
  menu.open(x, y);
}
