import { Signal } from '@lumino/signaling';
import { beforeEach, expect, it, vi } from 'vitest';

import { Mending } from './mending';
import * as outputs from './outputs';

vi.mock('@jupyterlab/notebook', () => ({}));
vi.mock('./left', () => ({ leftText: () => '' }));
vi.mock('./outputs', () => ({ leftViews: vi.fn(() => []), replace: vi.fn() }));

const signal = () => new Signal<any, any>({});

/** A notebook whose kernel answers so, with a view that was left in it or not. */
function notebook() {
  const link = { told: signal(), ask: vi.fn(async () => ({ state: 'running' }) as any) };
  const panel: any = {
    content: { node: document.createElement('div'), widgets: [], modelContentChanged: signal() },
    context: { ready: Promise.resolve() },
    revealed: Promise.resolve(),
    disposed: signal(),
    sessionContext: { statusChanged: signal(), session: { kernel: {} } },
  };
  const links: any = { each: (act: any) => act(link, panel), of: () => link };
  new Mending({ widgetAdded: signal(), forEach: (f: any) => f(panel) } as any, links, {} as any);
  const has = (isLeft: boolean) => vi.mocked(outputs.leftViews).mockReturnValue(isLeft ? ([{ view: 'v' }] as any) : []);
  const change = async () => {
    panel.content.modelContentChanged.emit();
    await vi.advanceTimersByTimeAsync(1000);
  };
  return { link, has, change };
}

beforeEach(() => void vi.useFakeTimers());

it('mends a view that comes back after its run has ended: pasted, undone, read again', async () => {
  const { link, has, change } = notebook();
  has(true);
  await change();
  expect(link.ask).toHaveBeenCalledOnce();
  has(false); // its cell is cut
  link.told.emit({ news: 'outputs.ended', with: { view: 'v' } });
  await change();
  link.ask.mockResolvedValue({ state: 'ended', bundle: { 'text/plain': 'x' } });
  has(true);
  await change();
  expect(outputs.replace).toHaveBeenCalledWith(expect.anything(), 'v', { 'text/plain': 'x' });
});

it('asks once about a run that goes on, however often the notebook changes', async () => {
  const { link, has, change } = notebook();
  has(true);
  for (let n = 0; n < 5; n++) await change();
  expect(link.ask).toHaveBeenCalledOnce();
});
