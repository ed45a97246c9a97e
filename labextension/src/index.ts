// The JupyterLab extension of lumos_nb: one plugin a room. Settings can switch each of them off.

import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { chatPlugin } from './chat';
import { cellsPlugin, standingPlugin, writingPlugin } from './cells';
import { commandsPlugin } from './commands';
import { settingsPlugin } from './commands/settings';
import { documentsPlugin } from './documents';
import { kernelPlugin } from './kernel';
import { mendingPlugin } from './mending';
import { panelPlugin } from './panel';
import { proposalsPlugin } from './proposals';
import { runPlugin } from './run';

const plugins: JupyterFrontEndPlugin<any>[] = [
  settingsPlugin,
  kernelPlugin,
  runPlugin,
  documentsPlugin,
  mendingPlugin,
  panelPlugin,
  chatPlugin,
  standingPlugin,
  writingPlugin,
  cellsPlugin,
  proposalsPlugin,
  commandsPlugin,
];

export default plugins;
