// Small parts of the panel's tabs.

import { type LabIcon, searchIcon } from '@jupyterlab/ui-components';
import React, { useEffect, useState } from 'react';

const SETTLES_MS = 150;

/** A value some moments later: a search is not begun with each letter. */
export function useLater<T>(value: T): T {
  const [later, setLater] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setLater(value), SETTLES_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return later;
}

/** The time in seconds, anew each second while it is looked at. */
export function useSeconds(isOn: boolean): number {
  const [now, setNow] = useState(Date.now() / 1000);
  useEffect(() => {
    if (!isOn) return;
    setNow(Date.now() / 1000);
    const timer = setInterval(() => setNow(Date.now() / 1000), 1000);
    return () => clearInterval(timer);
  }, [isOn]);
  return now;
}

interface IconButtonProps {
  icon: LabIcon;
  label: string;
  act: (event: React.MouseEvent<HTMLElement>) => unknown;
  tabIndex?: number;
}

export function IconButton({ icon, label, act, tabIndex }: IconButtonProps): JSX.Element {
  return (
    <button type="button" className="lumos-icon" title={label} aria-label={label} tabIndex={tabIndex} onClick={act}>
      <icon.react tag="span" />
    </button>
  );
}

interface SearchProps {
  label: string;
  /** What stands there as long as nothing is looked for. */
  short: string;
  value: string;
  onChange: (value: string) => void;
}

export function SearchBox({ label, short, value, onChange }: SearchProps): JSX.Element {
  return (
    <div className="lumos-search">
      <searchIcon.react tag="span" />
      <input
        type="search"
        aria-label={label}
        placeholder={short}
        title={label}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </div>
  );
}

/** A button with a word on it. */
export function Button({ label, act, title }: { label: string; act: () => unknown; title?: string }): JSX.Element {
  return (
    <button type="button" className="lumos-button" title={title} onClick={act}>
      {label}
    </button>
  );
}
