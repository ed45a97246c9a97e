// A list of any length: only the rows in view are in the page.

import React, { useEffect, useLayoutEffect, useReducer, useRef, useState } from 'react';

import type { Pages } from './pages';

const AROUND = 6; // rows above and below the view, so that scrolling finds them there

interface Props<Row> {
  pages: Pages<Row>;
  rowHeight: number;
  label: string;
  /** What names a row, while others come and go. */
  keyOf: (row: Row) => string;
  draw: (row: Row, isActive: boolean) => React.ReactNode;
  /** Enter, or a click. */
  open: (row: Row) => void;
  /** Other keys on a row; returns whether it was meant. */
  onKey?: (row: Row, event: React.KeyboardEvent, node: HTMLElement) => boolean;
  onMenu?: (row: Row, x: number, y: number) => void;
  empty: React.ReactNode;
}

/** Draws anew whenever the pages have changed. */
export function usePages(pages: Pages<any>): void {
  const [, draw] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    pages.changed.connect(draw);
    return () => void pages.changed.disconnect(draw);
  }, [pages]);
}

export function LongList<Row>(props: Props<Row>): JSX.Element {
  const { pages, rowHeight } = props;
  usePages(pages);
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 400 });
  const [active, setActive] = useState(0);
  const takesFocus = useRef(false);
  const total = pages.total ?? 0;
  const first = Math.max(0, Math.floor(view.top / rowHeight) - AROUND);
  const last = Math.max(first, Math.min(total - 1, Math.ceil((view.top + view.height) / rowHeight) + AROUND));

  useEffect(() => {
    const node = scroller.current!;
    const look = () => setView({ top: node.scrollTop, height: node.clientHeight || 400 });
    const observer = new ResizeObserver(look);
    observer.observe(node);
    look();
    return () => observer.disconnect();
  }, []);
  useEffect(() => pages.want(first, Math.max(first, last)), [pages, first, last, total]);
  useEffect(() => setActive((at) => Math.min(at, Math.max(0, total - 1))), [total]);
  useLayoutEffect(() => {
    if (!takesFocus.current) return;
    const row = scroller.current!.querySelector<HTMLElement>(`[data-index="${active}"]`);
    if (!row) return;
    takesFocus.current = pages.row(active) === undefined; // what comes in its place is focused, too
    row.focus({ preventScroll: true });
  });

  const go = (to: number) => {
    const at = Math.max(0, Math.min(total - 1, to));
    const node = scroller.current!;
    if (at * rowHeight < node.scrollTop) node.scrollTop = at * rowHeight;
    if ((at + 1) * rowHeight > node.scrollTop + node.clientHeight)
      node.scrollTop = (at + 1) * rowHeight - node.clientHeight;
    takesFocus.current = true;
    setActive(at);
    setView({ top: node.scrollTop, height: node.clientHeight });
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (!(event.target as HTMLElement).matches('[data-index]')) return;
    const a_page = Math.max(1, Math.floor(view.height / rowHeight) - 1);
    const to = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + a_page,
      PageUp: active - a_page,
      Home: 0,
      End: total - 1,
    }[event.key];
    const row = pages.row(active);
    if (to !== undefined) go(to);
    else if (!row) return;
    else if (event.key === 'Enter') props.open(row);
    else if (!props.onKey?.(row, event, event.target as HTMLElement)) return;
    event.preventDefault();
    event.stopPropagation();
  };

  const rows = [];
  for (let index = first; index <= last && index < total; index++) {
    const row = pages.row(index);
    rows.push(
      <div
        key={row === undefined ? `place ${index}` : props.keyOf(row)}
        className="lumos-row"
        role="listitem"
        data-index={index}
        aria-setsize={total}
        aria-posinset={index + 1}
        tabIndex={index === active || (index === first && (active < first || active > last)) ? 0 : -1}
        style={{ top: index * rowHeight, height: rowHeight }}
        onFocus={() => setActive(index)}
        onClick={(event) => {
          if (row !== undefined && !(event.target as HTMLElement).closest('button, input')) props.open(row);
        }}
        onContextMenu={(event) => {
          if (row === undefined || !props.onMenu) return;
          event.preventDefault();
          event.stopPropagation();
          props.onMenu(row, event.clientX, event.clientY);
        }}
      >
        {row === undefined ? <span className="lumos-soft">…</span> : props.draw(row, index === active)}
      </div>,
    );
  }
  return (
    <div
      className="lumos-list"
      ref={scroller}
      onScroll={(event) => setView({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })}
      onKeyDown={onKeyDown}
    >
      {pages.problem ? <Told problem={pages.problem} /> : pages.total === 0 ? props.empty : null}
      <div role="list" aria-label={props.label} style={{ position: 'relative', height: total * rowHeight }}>
        {rows}
      </div>
    </div>
  );
}

/** A problem in its two sentences. */
export function Told({ problem }: { problem: Error & { hint?: string } }): JSX.Element {
  return (
    <div className="lumos-told" role="alert">
      <div>{problem.message}</div>
      {problem.hint ? <div className="lumos-soft">{problem.hint}</div> : null}
    </div>
  );
}
