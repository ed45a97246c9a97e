import { Signal } from '@lumino/signaling';
import { expect, it, vi } from 'vitest';

import { Model } from './model';

vi.mock('@jupyterlab/notebook', () => ({}));

it('counts once what waits in a kernel that two views share', async () => {
  const link = () => ({
    told: new Signal<object, any>({}),
    closed: new Signal<object, void>({}),
    isOpen: true,
    ask: async () => ({ now: 0, rows: [{ run_id: 'r', call_id: 'c', asked_at: 1 }] }),
  });
  const links: any = {
    changed: new Signal<object, void>({}),
    currentChanged: new Signal<object, void>({}),
    each: (act: any) => {
      act(link(), 'one view');
      act(link(), 'another');
    },
  };
  const model = new Model(links);
  await vi.waitFor(() => expect(model.waiting).not.toHaveLength(0));
  await Promise.resolve();
  expect(model.waiting).toHaveLength(1);
});
