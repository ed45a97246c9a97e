// The JupyterLab extension of lumos_nb: one plugin a room. Settings can switch each of them off.

import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { kernelPlugin } from './kernel';
import { mendingPlugin } from './mending';
import { runPlugin } from './run';

const plugins: JupyterFrontEndPlugin<any>[] = [kernelPlugin, runPlugin, mendingPlugin];

export default plugins;
