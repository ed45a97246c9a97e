// The few phrases that every room says alike: those of `lumos_nb/phrases.py`, held to them by shared samples.

/** A whole number, with a comma at each thousand. */
export const number = (n: number): string => Math.round(n).toLocaleString('en-US');

/** Says a duration; nothing where it is not known. */
export function seconds(s: number | null): string {
  if (s === null) return '';
  if (s >= 60) return `${Math.floor(s / 60)} min ${String(Math.floor(s) % 60).padStart(2, '0')} s`;
  return s < 1 ? `${s.toFixed(2)} s` : `${s.toFixed(1)} s`;
}

/** Says a cost in US dollars; nothing where it is not known. */
export function price(usd: number | null): string {
  if (usd === null) return '';
  if (usd >= 0.1 || usd === 0) return `$${usd.toFixed(2)}`;
  return usd >= 0.0001 ? `$${Number(usd.toPrecision(2))}` : '<$0.0001';
}

/** Says a size in bytes. */
export function size(n: number): string {
  if (n < 1000) return `${n} bytes`;
  const large = (n / 1e6).toLocaleString('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  return n < 1e6 ? `${number(n / 1000)} kB` : `${large} MB`;
}

/** Says how many. */
export function count(n: number, noun: string): string {
  return `${number(n)} ${noun}${n === 1 ? '' : 's'}`;
}
