// Threads: found by words, renamed, forked, archived, deleted, used by the next cell, opened as a chat.

import { Dialog, showDialog } from '@jupyterlab/apputils';
import { addIcon, ellipsesIcon } from '@jupyterlab/ui-components';
import React, { useMemo, useState } from 'react';

import { openMenu } from '../menu';
import type { ThreadRow } from '../protocol';
import { LongList } from './list';
import { Pages } from './pages';
import { IconButton, SearchBox, useLater } from './parts';
import { attempt, type Shown, useChanged } from './shown';
import { money, when } from './words';

export const ROW_HEIGHT = 44;

export function Threads({ shown }: { shown: Shown }): JSX.Element {
  const { link, trans } = shown;
  const [words, setWords] = useState('');
  const [archived, setArchived] = useState(false);
  const [renamed, setRenamed] = useState('');
  const wanted = useLater(words);
  const pages = useMemo(
    () => new Pages<ThreadRow>((offset, limit) => link.ask('threads.list', { words: wanted, archived, offset, limit })),
    [link, wanted, archived],
  );
  useChanged(shown, ['threads', 'runs'], () => pages.refresh());
  const choose = (row: ThreadRow, x: number, y: number) =>
    openMenu(
      choices(shown, row, () => setRenamed(row.thread_id)),
      x,
      y,
    );

  return (
    <>
      <div className="lumos-panel-bar">
        <SearchBox
          label={trans.__('Find threads by title, agent or words')}
          short={trans.__('Find threads')}
          value={words}
          onChange={setWords}
        />
        <IconButton
          icon={addIcon}
          label={trans.__('New thread')}
          act={() => attempt(link.ask('threads.new', {}), trans.__('The thread could not be made'))}
        />
      </div>
      <label className="lumos-check">
        <input type="checkbox" checked={archived} onChange={(event) => setArchived(event.target.checked)} />
        {trans.__('Archived')}
      </label>
      <LongList
        pages={pages}
        rowHeight={ROW_HEIGHT}
        label={trans.__('Threads')}
        keyOf={(row) => row.thread_id}
        open={(row) => openChat(shown, row)}
        onMenu={choose}
        onKey={(row, event, node) => {
          const box = node.getBoundingClientRect();
          if (event.key === 'F2') setRenamed(row.thread_id);
          else if (event.key === 'Delete') void remove(shown, row);
          else if (event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey))
            choose(row, box.left + 24, box.bottom);
          else return false;
          return true;
        }}
        draw={(row, isActive) =>
          row.thread_id === renamed ? (
            <Renaming shown={shown} row={row} done={() => setRenamed('')} />
          ) : (
            <Line shown={shown} row={row} isActive={isActive} choose={choose} />
          )
        }
        empty={<Empty shown={shown} words={wanted} archived={archived} />}
      />
    </>
  );
}

interface LineProps {
  shown: Shown;
  row: ThreadRow;
  isActive: boolean;
  choose: (row: ThreadRow, x: number, y: number) => void;
}

function Line({ shown: { trans }, row, isActive, choose }: LineProps): JSX.Element {
  const said = trans._n('%1 run', '%1 runs', row.n_runs);
  const parts = [row.agent, said, when(row.updated_at, trans), row.n_runs ? money(row.cost_usd, trans) : ''];
  return (
    <>
      <div className="lumos-lines" title={row.title}>
        <div className="lumos-line">
          <span className="lumos-title">{row.title}</span>
          {row.is_running ? <span className="lumos-badge-text">{trans.__('running')}</span> : null}
          {row.is_current ? <span className="lumos-badge-text">{trans.__('in use')}</span> : null}
        </div>
        <div className="lumos-line lumos-soft">{parts.filter(Boolean).join(' · ')}</div>
      </div>
      <IconButton
        icon={ellipsesIcon}
        label={trans.__('More for %1', row.title)}
        tabIndex={isActive ? 0 : -1}
        act={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          choose(row, box.left, box.bottom);
        }}
      />
    </>
  );
}

function Renaming({ shown, row, done }: { shown: Shown; row: ThreadRow; done: () => void }): JSX.Element {
  const { link, trans } = shown;
  const [title, setTitle] = useState(row.title);
  const [isOver, setOver] = useState(false);
  const end = async (keeps: boolean, node: HTMLElement) => {
    if (isOver) return;
    setOver(true);
    const list = node.closest<HTMLElement>('[data-index]');
    if (keeps && title.trim() && title !== row.title)
      await attempt(
        link.ask('threads.rename', { thread_id: row.thread_id, title }),
        trans.__('The thread could not be renamed'),
      );
    done();
    list?.focus();
  };
  return (
    <input
      className="lumos-field-text"
      aria-label={trans.__('New name of %1', row.title)}
      value={title}
      maxLength={200}
      autoFocus
      onFocus={(event) => event.target.select()}
      onChange={(event) => setTitle(event.target.value)}
      onBlur={(event) => void end(true, event.currentTarget)}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.nativeEvent.isComposing) return;
        if (event.key === 'Enter' || event.key === 'Escape') void end(event.key === 'Enter', event.currentTarget);
      }}
    />
  );
}

function Empty({ shown: { trans }, words, archived }: { shown: Shown; words: string; archived: boolean }): JSX.Element {
  const said = words.trim()
    ? trans.__('No thread has these words.')
    : archived
      ? trans.__('Nothing is archived.')
      : trans.__('No threads yet. The first %%agent cell begins one.');
  return <div className="lumos-told">{said}</div>;
}

function openChat({ app, panel }: Shown, row: ThreadRow): void {
  void app.commands.execute('lumos:open-chat', { notebook: panel.id, thread_id: row.thread_id });
}

async function remove({ link, trans }: Shown, row: ThreadRow): Promise<void> {
  const { button } = await showDialog({
    title: trans.__('Delete thread %1?', row.title),
    body: trans.__('Its messages, runs and events are deleted, too. This cannot be undone.'),
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Delete') })],
    defaultButton: 0,
  });
  if (button.accept)
    await attempt(
      link.ask('threads.delete', { thread_id: row.thread_id }),
      trans.__('The thread could not be deleted'),
    );
}

function choices(shown: Shown, row: ThreadRow, rename: () => void) {
  const { app, link, trans } = shown;
  const { thread_id } = row;
  const doing = (work: () => Promise<unknown>) => () => attempt(work(), trans.__('This could not be done'));
  return [
    {
      label: trans.__('Use for the next cell'),
      act: doing(() => link.ask('threads.use', { thread_id })),
      isOff: row.is_current,
    },
    { label: trans.__('Open as chat'), act: () => openChat(shown, row) },
    { label: trans.__('Show its runs'), act: () => app.commands.execute('lumos:show-runs', { thread_id }) },
    null,
    { label: trans.__('Rename'), act: rename },
    { label: trans.__('Fork'), act: doing(() => link.ask('threads.fork', { thread_id })) },
    {
      label: row.is_archived ? trans.__('Unarchive') : trans.__('Archive'),
      act: doing(() => link.ask('threads.archive', { thread_id, is_archived: !row.is_archived })),
    },
    { label: trans.__('Delete…'), act: () => remove(shown, row), isOff: row.is_running },
  ];
}
