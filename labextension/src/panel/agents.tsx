// Agents and their tools, with what each tool may do and what was allowed in the thread.

import { Clipboard } from '@jupyterlab/apputils';
import { copyIcon } from '@jupyterlab/ui-components';
import React, { useEffect, useState } from 'react';

import type { AgentRow, Agents as Found, ToolRow } from '../protocol';
import { Told } from './list';
import { Button, IconButton } from './parts';
import { attempt, type Shown, useChanged } from './shown';

export function Agents({ shown }: { shown: Shown }): JSX.Element {
  const { link, trans } = shown;
  const [found, setFound] = useState<Found | null>(null);
  const [problem, setProblem] = useState<Error | null>(null);
  const look = () =>
    link.ask('agents.list', {}).then(
      (answer) => {
        setFound(answer);
        setProblem(null);
      },
      (error) => setProblem(error),
    );
  useEffect(() => void look(), [link]);
  // A cell may have made an agent: the end of a run and another status say so, too.
  useChanged(shown, ['agents', 'status', 'runs', 'threads'], () => void look());

  if (problem) return <Told problem={problem} />;
  if (!found) return <div className="lumos-told">{trans.__('Looking…')}</div>;
  return (
    <div className="lumos-scroll">
      {found.rows.map((row) => (
        <Agent key={row.name} shown={shown} row={row} />
      ))}
      {found.allowed.length ? <Allowed shown={shown} found={found} /> : null}
    </div>
  );
}

function Agent({ shown: { link, trans }, row }: { shown: Shown; row: AgentRow }): JSX.Element {
  return (
    <section className="lumos-section" aria-label={row.name}>
      <div className="lumos-line">
        <span className="lumos-title lumos-strong">{row.name}</span>
        {row.is_current ? (
          <span className="lumos-badge-text">{trans.__('in use')}</span>
        ) : (
          <Button
            label={trans.__('Use')}
            title={trans.__('Cells without a name run %1', row.name)}
            act={() => attempt(link.ask('agents.use', { name: row.name }), trans.__('This could not be done'))}
          />
        )}
        <IconButton
          icon={copyIcon}
          label={trans.__('Copy a cell for %1', row.name)}
          act={() => Clipboard.copyToSystem(`%%agent ${row.name}\n`)}
        />
      </div>
      <div className="lumos-soft lumos-wraps">{row.model}</div>
      {row.instructions ? <div className="lumos-wraps">{row.instructions}</div> : null}
      {row.problem ? <div className="lumos-bad lumos-wraps">{row.problem}</div> : null}
      {row.tools.length ? (
        <ul className="lumos-tools" aria-label={trans.__('Tools of %1', row.name)}>
          {row.tools.map((tool) => (
            <Tool key={tool.name} tool={tool} trans={trans} />
          ))}
        </ul>
      ) : (
        <div className="lumos-soft">{trans.__('No tools.')}</div>
      )}
    </section>
  );
}

function Tool({ tool, trans }: { tool: ToolRow; trans: Shown['trans'] }): JSX.Element {
  const isAllowed = tool.permission === 'ask' && tool.is_allowed_here;
  return (
    <li>
      <div className="lumos-line" title={tool.reason}>
        <code className="lumos-title">{tool.name}</code>
        <span className={`lumos-state lumos-${isAllowed ? 'allow' : tool.permission}`}>
          {isAllowed ? trans.__('allowed in this thread') : trans.__(tool.permission)}
        </span>
      </div>
      {tool.description ? <div className="lumos-soft lumos-wraps">{tool.description}</div> : null}
    </li>
  );
}

function Allowed({ shown: { link, trans }, found }: { shown: Shown; found: Found }): JSX.Element {
  const title = trans.__('Allowed in thread %1', found.thread);
  const revoke = (tool: string) =>
    attempt(link.ask('agents.revoke', { thread_id: found.thread_id, tool }), trans.__('This could not be done'));
  return (
    <section className="lumos-section" aria-label={title}>
      <div className="lumos-strong lumos-wraps">{title}</div>
      {found.allowed.map((tool) => (
        <div className="lumos-line" key={tool}>
          <code className="lumos-title">{tool}</code>
          <Button label={trans.__('Revoke')} title={trans.__('Be asked for %1 again', tool)} act={() => revoke(tool)} />
        </div>
      ))}
    </section>
  );
}
