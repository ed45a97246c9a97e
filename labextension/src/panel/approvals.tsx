// Calls that wait for a person, of all kernels, each with the form that its cell shows.

import { PathExt } from '@jupyterlab/coreutils';
import { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useReducer, useRef } from 'react';

import { problemText } from '../kernel';
import { keyOf, type Model, type Waiting } from './model';
import { useSeconds } from './parts';
import { Question } from './question';
import { waiting as long } from './words';

interface Props {
  model: Model;
  trans: TranslationBundle;
  open: (panel: NotebookPanel) => void;
}

export function Approvals({ model, trans, open }: Props): JSX.Element {
  const [, draw] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    model.approvalsChanged.connect(draw);
    return () => void model.approvalsChanged.disconnect(draw);
  }, [model]);
  const rows = model.waiting;
  const now = useSeconds(rows.length > 0 && model.isVisible);
  if (!rows.length) return <div className="lumos-told">{trans.__('Nothing waits for you.')}</div>;
  return (
    <div className="lumos-scroll" role="list" aria-label={trans.__('Approvals')}>
      {rows.map((row) => (
        <One key={keyOf(row)} row={row} now={now} trans={trans} open={open} />
      ))}
    </div>
  );
}

interface OneProps {
  row: Waiting;
  now: number;
  trans: TranslationBundle;
  open: (panel: NotebookPanel) => void;
}

function One({ row, now, trans, open }: OneProps): JSX.Element {
  const { approval, panel, ahead } = row;
  const { agent, thread, notebook } = approval;
  return (
    <div
      className="lumos-section lumos-approval"
      role="listitem"
      aria-label={trans.__('%1 waits for you', approval.name)}
    >
      <div className="lumos-line">
        <code className="lumos-title lumos-strong">{approval.name}</code>
        <span className="lumos-soft lumos-clock">{long(now - ahead - approval.asked_at)}</span>
      </div>
      <div className="lumos-soft lumos-wraps">
        {[agent, thread].filter(Boolean).join(' · ')} ·{' '}
        <button type="button" className="lumos-link" onClick={() => open(panel)}>
          {PathExt.basename(notebook || panel.context.path)}
        </button>
      </div>
      <pre className="lumos-arguments" tabIndex={0} aria-label={trans.__('Arguments')}>
        {pretty(approval.arguments)}
      </pre>
      <Form row={row} />
    </div>
  );
}

/** The form of the live view; it is drawn by its own code, once. */
function Form({ row }: { row: Waiting }): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const { approval, link } = row;
    const question: any = new (Question as any)(approval, async (action: any) => {
      try {
        await link.ask('runs.act', { ...action, run_id: approval.run_id });
        return '';
      } catch (problem) {
        return problemText(problem);
      }
    });
    const node = place.current!;
    const onKey = (event: KeyboardEvent) => {
      if (event.target instanceof HTMLElement && event.target.matches('input, textarea, select') && !question.send)
        return;
      if (question.onKey(event)) {
        event.preventDefault();
        event.stopPropagation();
      }
    };
    node.addEventListener('keydown', onKey);
    node.replaceChildren(question.node);
    return () => node.removeEventListener('keydown', onKey);
  }, [keyOf(row)]);
  return <div ref={place} data-lm-suppress-shortcuts="true" />;
}

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}
