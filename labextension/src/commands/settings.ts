// The settings of the extension, as every room reads them: one schema, `schema/settings.json`.

import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Token } from '@lumino/coreutils';
import { type ISignal, Signal } from '@lumino/signaling';

const ID = 'lumos-nb:settings';

/** What can be set, and what holds where nobody has set it. */
const DEFAULTS = {
  highlight: true,
  hints: true,
  cellToolbar: true,
  staleBadges: true,
  statusBar: true,
};
export type Settings = typeof DEFAULTS;

export interface ISettings {
  /** The value in force; the default until the settings are read, and where there are none. */
  get<K extends keyof Settings>(name: K): Settings[K];
  readonly changed: ISignal<ISettings, void>;
}

export const ISettings = new Token<ISettings>('lumos-nb:ISettings', 'The settings of Lumos.');

export class KeptSettings implements ISettings {
  private given: Partial<Settings> = {};
  private _changed = new Signal<this, void>(this);

  get<K extends keyof Settings>(name: K): Settings[K] {
    const value = this.given[name];
    return typeof value === typeof DEFAULTS[name] ? (value as Settings[K]) : DEFAULTS[name];
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  take(given: Partial<Settings>): void {
    this.given = given;
    this._changed.emit();
  }
}

export const settingsPlugin: JupyterFrontEndPlugin<ISettings> = {
  id: ID,
  description: 'The settings of Lumos.',
  autoStart: true,
  provides: ISettings,
  optional: [ISettingRegistry],
  activate: (_, registry: ISettingRegistry | null) => {
    const settings = new KeptSettings();
    void registry?.load(ID).then(
      (loaded) => {
        const take = () => settings.take(loaded.composite as Partial<Settings>);
        loaded.changed.connect(take);
        take();
      },
      (error) => console.warn('The settings of Lumos cannot be read; the defaults hold.', error),
    );
    return settings;
  },
};
