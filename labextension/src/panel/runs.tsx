// Runs: what goes on, with Stop and Steer, and what has ended; found by words, state, agent and thread.

import { closeIcon } from '@jupyterlab/ui-components';
import React, { useMemo, useState } from 'react';

import { goToCell } from '../notebooks';
import { seconds } from '../phrases';
import type { RunRow } from '../protocol';
import { LongList } from './list';
import { Pages } from './pages';
import { Button, IconButton, SearchBox, useLater, useSeconds } from './parts';
import { attempt, type Shown, useChanged } from './shown';
import { ROW_HEIGHT } from './threads';
import { money, tokens, when } from './words';

const STATES = ['running', 'completed', 'failed', 'cancelled'];

interface Props {
  shown: Shown;
  /** Only the runs of this thread. */
  threadId: string;
  clearThread: () => void;
}

export function Runs({ shown, threadId, clearThread }: Props): JSX.Element {
  const { link, trans } = shown;
  const [words, setWords] = useState('');
  const [status, setStatus] = useState('');
  const [agent, setAgent] = useState('');
  const [agents, setAgents] = useState<string[]>([]);
  const [hasLive, setHasLive] = useState(false);
  const [steered, setSteered] = useState('');
  const wanted = useLater(words);
  const pages = useMemo(
    () =>
      new Pages<RunRow>(async (offset, limit) => {
        const found = await link.ask('runs.list', { words: wanted, status, agent, thread_id: threadId, offset, limit });
        setAgents(found.agents);
        if (!offset) setHasLive(found.rows.some((row) => row.is_live));
        return found;
      }),
    [link, wanted, status, agent, threadId],
  );
  useChanged(shown, ['runs', 'approvals'], () => pages.refresh());
  const now = useSeconds(hasLive && shown.model.isVisible);

  return (
    <>
      <div className="lumos-panel-bar">
        <SearchBox
          label={trans.__('Find runs by words')}
          short={trans.__('Find runs')}
          value={words}
          onChange={setWords}
        />
      </div>
      <div className="lumos-panel-bar">
        <Select label={trans.__('State')} any={trans.__('any state')} of={STATES} value={status} onChange={setStatus} />
        <Select label={trans.__('Agent')} any={trans.__('any agent')} of={agents} value={agent} onChange={setAgent} />
      </div>
      {threadId ? (
        <div className="lumos-panel-bar lumos-soft">
          <span className="lumos-title">{trans.__('Of one thread')}</span>
          <IconButton icon={closeIcon} label={trans.__('Show the runs of all threads')} act={clearThread} />
        </div>
      ) : null}
      <LongList
        pages={pages}
        rowHeight={ROW_HEIGHT + 16}
        label={trans.__('Runs')}
        keyOf={(row) => row.run_id}
        open={(row) => void openRun(shown, row)}
        draw={(row, isActive) =>
          row.is_live && row.run_id === steered ? (
            <Steering shown={shown} row={row} done={() => setSteered('')} />
          ) : (
            <Line shown={shown} row={row} now={now} isActive={isActive} steer={() => setSteered(row.run_id)} />
          )
        }
        empty={
          <div className="lumos-told">
            {wanted || status || agent || threadId
              ? trans.__('No run is like this.')
              : trans.__('No runs yet. Run a cell that begins with %%agent.')}
          </div>
        }
      />
    </>
  );
}

interface SelectProps {
  label: string;
  any: string;
  of: string[];
  value: string;
  onChange: (value: string) => void;
}

function Select({ label, any, of, value, onChange }: SelectProps): JSX.Element {
  return (
    <select
      className="lumos-select"
      aria-label={label}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    >
      <option value="">{any}</option>
      {of.map((one) => (
        <option key={one}>{one}</option>
      ))}
    </select>
  );
}

interface LineProps {
  shown: Shown;
  row: RunRow;
  now: number;
  isActive: boolean;
  steer: () => void;
}

function Line({ shown, row, now, isActive, steer }: LineProps): JSX.Element {
  const { trans } = shown;
  const lasts = row.is_live ? Math.max(0, now - row.started_at) : row.duration_s;
  const figures = [
    seconds(lasts),
    trans.__('%1 in, %2 out', tokens(row.input_tokens), tokens(row.output_tokens)),
    row.is_live ? '' : money(row.cost_usd, trans),
    row.thread,
  ];
  return (
    <>
      <div className="lumos-lines" title={row.error || row.prompt}>
        <div className="lumos-line">
          <span className={`lumos-state lumos-${row.status.split(' ')[0]}`}>{trans.__(row.status)}</span>
          <span className="lumos-title">{row.prompt || trans.__('(no words)')}</span>
        </div>
        <div className="lumos-line lumos-soft">
          {[row.agent, row.model, when(row.started_at, trans)].filter(Boolean).join(' · ')}
        </div>
        <div className="lumos-line lumos-soft lumos-figures-line">{figures.filter(Boolean).join(' · ')}</div>
      </div>
      {row.is_live ? (
        <div className="lumos-doing" data-active={isActive}>
          <Button label={trans.__('Stop')} act={() => act(shown, row, 'stop')} />
          <Button label={trans.__('Steer…')} act={steer} />
        </div>
      ) : null}
    </>
  );
}

function Steering({ shown, row, done }: { shown: Shown; row: RunRow; done: () => void }): JSX.Element {
  const { trans } = shown;
  const [text, setText] = useState('');
  return (
    <input
      className="lumos-field-text"
      autoFocus
      aria-label={trans.__('Say something to %1 while it works', row.agent)}
      placeholder={trans.__('Say something while it works')}
      value={text}
      onChange={(event) => setText(event.target.value)}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.nativeEvent.isComposing) return;
        if (event.key === 'Enter') void act(shown, row, 'steer', text).then((isDone) => isDone && done());
        if (event.key === 'Escape') done();
      }}
      onBlur={() => text || done()}
    />
  );
}

async function act({ link, trans }: Shown, row: RunRow, t: string, text = ''): Promise<boolean> {
  return attempt(link.ask('runs.act', { run_id: row.run_id, t, text }), trans.__('This could not be done'));
}

/** Goes to the cell of a run, or opens the run where the notebook has no such cell. */
async function openRun({ app, panel, link, trans }: Shown, row: RunRow): Promise<void> {
  if (row.cell_id && goToCell(panel, row.cell_id)) app.shell.activateById(panel.id);
  else {
    const { openRecorded } = await import('./opened');
    const title = trans.__('Run: %1', row.prompt.slice(0, 30) || row.agent);
    await attempt(openRecorded(app, panel, link, row.run_id, title), trans.__('The run cannot be shown'));
  }
}
