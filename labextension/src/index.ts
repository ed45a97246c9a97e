// The JupyterLab extension of lumos_nb: one plugin a room. Settings can switch each of them off.

import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { kernelPlugin } from './kernel';
import { proposalsPlugin } from './proposals';
import { runPlugin } from './run';

const plugins: JupyterFrontEndPlugin<any>[] = [kernelPlugin, runPlugin, proposalsPlugin];

export default plugins;
