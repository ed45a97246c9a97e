import { describe, expect, it, vi } from 'vitest';

import { Link } from './link';
import { LumosProblem } from './problem';

/** A kernel's comm, whose other end is the test. */
function pair(handlers = new Map<string, (given: any) => unknown>()) {
  const sent: any[] = [];
  const comm: any = { open: (data: any) => sent.push(data), send: (data: any) => sent.push(data) };
  comm.close = vi.fn(() => ({ done: Promise.resolve() }));
  const link = new Link({ id: 'k', createComm: () => comm } as any, handlers);
  const say = (data: any) => comm.onMsg({ content: { data } });
  return { link, sent, say, comm };
}

describe('a link', () => {
  it('opens with its version, and as the same page after a reload', () => {
    const { comm, sent } = pair();
    expect(sent[0].v).toBe(1);
    window.dispatchEvent(new Event('pagehide'));
    expect(comm.close).toHaveBeenCalledOnce();
    expect(pair().sent[0].page).toBe(sent[0].page);
  });

  it('is another page than every other open link, as in a tab that was duplicated', () => {
    expect(pair().sent[0].page).not.toBe(pair().sent[0].page);
  });

  it('hears which version the kernel speaks', () => {
    const { link, say } = pair();
    const heard = vi.fn();
    link.greeted.connect((_, version) => heard(version));
    say({ v: 2 });
    expect(heard).toHaveBeenCalledWith(2);
  });

  it('gives each answer to who asked for it', async () => {
    const { link, sent, say } = pair();
    const [a, b] = [link.ask('status', {}), link.ask('status', {})];
    say({ id: sent[2].id, answer: { agent: 'b' } });
    say({ id: sent[1].id, answer: { agent: 'a' } });
    expect([(await a).agent, (await b).agent]).toEqual(['a', 'b']);
  });

  it('rejects with what the kernel says is wrong', async () => {
    const { link, sent, say } = pair();
    const asked = link.ask('status', {});
    say({ id: sent[1].id, problem: { type: 'UsageError', message: 'No.', hint: 'Yes.' } });
    await expect(asked).rejects.toEqual(new LumosProblem('UsageError', 'No.', 'Yes.'));
  });

  it('says that a kernel does not answer', async () => {
    vi.useFakeTimers();
    const { link } = pair();
    const asked = expect(link.ask('status', {}, 50)).rejects.toThrow('does not answer');
    vi.advanceTimersByTime(60);
    await asked;
    vi.useRealTimers();
  });

  it('ends every request when the kernel goes', async () => {
    const { link, comm } = pair();
    const asked = link.ask('status', {});
    comm.onClose();
    await expect(asked).rejects.toThrow('restarted or has ended');
    await expect(link.ask('status', {})).rejects.toThrow('restarted or has ended');
  });

  it('answers the kernel, and says what it does not know', async () => {
    const { sent, say } = pair(new Map([['add', ({ a }: { a: number }) => ({ sum: a + 1 })]]));
    say({ id: 'k1', ask: 'add', with: { a: 1 } });
    say({ id: 'k2', ask: 'unheard', with: {} });
    await vi.waitFor(() => expect(sent).toHaveLength(3));
    const [first, second] = sent.slice(1).sort((a, b) => a.id.localeCompare(b.id));
    expect(first).toEqual({ id: 'k1', answer: { sum: 2 } });
    expect(second.problem.message).toContain('does not know unheard');
  });
});
