// How the panel says costs, counts, and when something was.

import type { TranslationBundle } from '@jupyterlab/translation';

import { price } from '../phrases';

/** Says a cost; what is not known is said to be unknown. */
export function money(usd: number | null, trans: TranslationBundle): string {
  return usd === null ? trans.__('cost unknown') : price(usd);
}

/** Says a number of tokens in short. */
export function tokens(n: number): string {
  if (n < 1000) return String(n);
  return n < 1e6 ? `${(n / 1e3).toFixed(n < 1e4 ? 1 : 0)}k` : `${(n / 1e6).toFixed(1)}M`;
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
