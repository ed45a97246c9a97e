// What could not be done, and how it is said. Needs nothing of the page.

/** What the kernel could not do, in words for a person. */
export class LumosProblem extends Error {
  constructor(
    readonly type: string,
    message: string,
    readonly hint = '',
  ) {
    super(message);
  }
}

/** What is wrong and what to do about it, as one text. */
export function problemText(problem: unknown): string {
  const { message, hint } = problem as Error & { hint?: string };
  return [message || String(problem), hint].filter(Boolean).join(' ');
}
