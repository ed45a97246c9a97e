// What each tab of the panel is given.

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { showErrorMessage } from '@jupyterlab/apputils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useRef } from 'react';

import { type Link, problemText } from '../kernel';
import type { Told } from '../kernel/link';
import type { Model } from './model';

export interface Shown {
  app: JupyterFrontEnd;
  model: Model;
  trans: TranslationBundle;
  panel: NotebookPanel;
  link: Link;
}

/** Calls back when the kernel says that this has changed; while nobody looks it waits until somebody does. */
export function useChanged({ link, model }: Shown, what: string[], act: () => void): void {
  const now = useRef(act);
  now.current = act;
  useEffect(() => {
    let isDue = false;
    const look = () => {
      if (!isDue || !model.isVisible) return;
      isDue = false;
      now.current();
    };
    const hear = (_: unknown, told: Told) => {
      if (told.news !== 'changed' || !told.with.what.some((one) => what.includes(one))) return;
      isDue = true;
      look();
    };
    link.told.connect(hear);
    model.changed.connect(look);
    return () => {
      link.told.disconnect(hear);
      model.changed.disconnect(look);
    };
  }, [link, model]);
}

/** Does what was asked for; what the kernel could not do is said in its words. */
export async function attempt(work: Promise<unknown>, title: string): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (problem) {
    await showErrorMessage(title, problemText(problem));
    return false;
  }
}
