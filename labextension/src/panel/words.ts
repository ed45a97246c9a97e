// How the panel says times, sums and counts.

import type { TranslationBundle } from '@jupyterlab/translation';

/** Says a cost; what is not known is said to be unknown. */
export function money(usd: number | null, trans: TranslationBundle): string {
  if (usd === null) return trans.__('cost unknown');
  if (usd === 0) return '$0';
  return usd < 0.01 ? `$${usd.toPrecision(2)}` : `$${usd.toFixed(usd < 1 ? 3 : 2)}`;
}

/** Says a number of tokens in short. */
export function tokens(n: number): string {
  if (n < 1000) return String(n);
  return n < 1e6 ? `${(n / 1e3).toFixed(n < 1e4 ? 1 : 0)}k` : `${(n / 1e6).toFixed(1)}M`;
}

/** Says a time span. */
export function seconds(s: number): string {
  if (s < 60) return `${s.toFixed(1)} s`;
  const minutes = Math.floor(s / 60);
  return minutes < 60 ? `${minutes} min ${Math.floor(s % 60)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Says how long something waits, to the second. */
export function waiting(s: number): string {
  const whole = Math.max(0, Math.floor(s));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** Says when something was: how long ago, or the day. */
export function when(at: number, trans: TranslationBundle, now = Date.now() / 1000): string {
  const ago = now - at;
  if (ago < 60) return trans.__('just now');
  if (ago < 3600) return trans.__('%1 min ago', Math.floor(ago / 60));
  if (ago < 86_400) return trans.__('%1 h ago', Math.floor(ago / 3600));
  return new Date(at * 1000).toLocaleDateString();
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.split('/').pop() ?? path;
}
