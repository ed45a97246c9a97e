// The JupyterLab extension of lumos_nb: one plugin a room. Settings can switch each of them off.

import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { kernelPlugin } from './kernel';
import { mendingPlugin } from './mending';
import { proposalsPlugin } from './proposals';
import { runPlugin } from './run';

const plugins: JupyterFrontEndPlugin<any>[] = [kernelPlugin, runPlugin, mendingPlugin, proposalsPlugin];

export default plugins;
