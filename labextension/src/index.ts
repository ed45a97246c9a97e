// The JupyterLab extension of lumos_nb: one plugin a room. Settings can switch each of them off.

import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { chatPlugin } from './chat';
import { documentsPlugin } from './documents';
import { kernelPlugin } from './kernel';
import { mendingPlugin } from './mending';
import { panelPlugin } from './panel';
import { runPlugin } from './run';

const plugins: JupyterFrontEndPlugin<any>[] = [
  kernelPlugin,
  runPlugin,
  documentsPlugin,
  mendingPlugin,
  panelPlugin,
  chatPlugin,
];

export default plugins;
