// By which name a kernel knows this browser tab, also after a reload.
//
// While a name is in use it is not in the tab's memory, which a browser copies when it duplicates a tab: the copy
// finds none and takes its own.

import { UUID } from '@lumino/coreutils';

const keyOf = (kernel: string) => `lumos pages ${kernel}`;
const left = (kernel: string): string[] => (sessionStorage.getItem(keyOf(kernel)) ?? '').split(' ').filter(Boolean);

/** Takes a name for a link to this kernel: one that was left, or a new one. */
export function takePage(kernel: string): string {
  const [page, ...others] = left(kernel);
  keep(kernel, others);
  return page ?? UUID.uuid4();
}

/** Leaves a name to who opens a link to this kernel in this tab again. */
export function leavePage(kernel: string, page: string): void {
  keep(kernel, [...left(kernel), page]);
}

function keep(kernel: string, pages: string[]): void {
  try {
    if (pages.length) sessionStorage.setItem(keyOf(kernel), pages.join(' '));
    else sessionStorage.removeItem(keyOf(kernel));
  } catch {
    // it is full or not allowed: a reload gets another name
  }
}
