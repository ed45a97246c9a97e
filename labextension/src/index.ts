// The JupyterLab extension of lumos_nb: one plugin a room. Settings can switch each of them off.

import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { cellsPlugin, standingPlugin, writingPlugin } from './cells';
import { commandsPlugin } from './commands';
import { settingsPlugin } from './commands/settings';
import { kernelPlugin } from './kernel';
import { mendingPlugin } from './mending';
import { runPlugin } from './run';

const plugins: JupyterFrontEndPlugin<any>[] = [
  settingsPlugin,
  kernelPlugin,
  runPlugin,
  mendingPlugin,
  standingPlugin,
  writingPlugin,
  cellsPlugin,
  commandsPlugin,
];

export default plugins;
