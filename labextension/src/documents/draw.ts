// What a file holds, told by its fields, as widgets to be put one below the other.

import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { styled } from '../elements';
import { RUN_MIME, STYLES, TRACE_MIME } from '../protocol';
import { RenderedRun } from '../run/renderer';
import { RenderedTrace } from '../run/trace';
import { RenderedTape } from './tape';
import { runOfThread } from './thread';

const MOST_RUNS = 200;

/** Draws a file's text. What cannot be read is said; never throws. */
export function drawn(
  registry: IRenderMimeRegistry,
  trans: TranslationBundle,
  text: string,
  isTape: boolean,
): Widget[] {
  if (isTape) return [new RenderedTape(registry, trans, text)];
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    return [note(trans.__('This file is not JSON: %1', (error as Error).message), true)];
  }
  const found = Array.isArray(data) ? data : ((data as any)?.runs ?? [data]);
  const shown = found.slice(0, MOST_RUNS).map((one: any) => widgetOf(registry, trans, one));
  if (!found.length) shown.push(note(trans.__('This file holds no run.'), false));
  const left = found.length - MOST_RUNS;
  if (left > 0) shown.push(note(trans.__('%1 more runs are not shown.', left), false));
  return shown;
}

function widgetOf(registry: IRenderMimeRegistry, trans: TranslationBundle, data: any): Widget {
  if (data?.spans || data?.traces) return filled(new RenderedTrace(registry, trans), registry, TRACE_MIME, data);
  const run = data?.messages ? runOfThread(data) : data;
  if (!Array.isArray(run?.items)) {
    const said = trans.__('This is neither a run nor a trace nor a thread of lumos_nb. Open it with the editor.');
    return note(said, true);
  }
  return filled(new RenderedRun(registry, trans, { of: () => ({}) }), registry, RUN_MIME, run);
}

function filled(widget: RenderedRun | RenderedTrace, registry: IRenderMimeRegistry, mime: string, data: any): Widget {
  void widget.renderModel(registry.createModel({ data: { [mime]: data }, trusted: false }));
  return widget;
}

function note(text: string, isProblem: boolean): Widget {
  const node = styled('div', isProblem ? STYLES.error : STYLES.muted, text);
  node.setAttribute('role', isProblem ? 'alert' : 'note');
  return new Widget({ node });
}
