// Written by `python -m lumos_nb.notebook.lab.typescript`; the kernel's code is the source.

export const PROTOCOL_VERSION = 1;
export const TRANSCRIPT_VERSION = 1;
export const RUN_MIME = "application/vnd.lumos.run+json";

/** The frames of a run and of its rows, the same in the live view, in saved HTML and here. */
export const SHELLS = {
  "run": "<div data-lumos=\"run\" data-lm-suppress-shortcuts=\"true\" style=\"font-family:var(--jp-content-font-family,sans-serif);color:var(--jp-content-font-color1,inherit);overflow-wrap:break-word;padding:4px 0\"><div style=\"padding-bottom:2px;margin-bottom:4px;border-bottom:1px solid var(--jp-border-color2,#8886);color:var(--jp-ui-font-color2,#7a7a7a)\">{head}</div><div>{rows}</div><div>{footer}</div></div>",
  "text": "<div data-lumos=\"text\" style=\"margin:4px 0\"><div>{parts}</div></div>",
  "reasoning": "<details data-lumos=\"reasoning\"{open} style=\"margin:0 0 6px 0;color:var(--jp-ui-font-color2,#7a7a7a)\"><summary style=\"cursor:pointer;padding:2px 0;line-height:1.5\">{head}</summary><div style=\"border-left:2px solid var(--jp-border-color2,#8886);margin:2px 0 6px 4px;padding:2px 0 2px 12px\">{parts}</div></details>",
  "tool": "<details data-lumos=\"tool\"{open} style=\"margin:0 0 6px 0\"><summary style=\"cursor:pointer;padding:2px 0;line-height:1.5\">{head}</summary><div style=\"border-left:2px solid var(--jp-border-color2,#8886);margin:2px 0 6px 4px;padding:2px 0 2px 12px\">{parts}</div></details>",
  "user": "<div data-lumos=\"user\" style=\"margin:6px 0;padding:2px 0 2px 12px;border-left:2px solid var(--jp-brand-color1,#4a90d9)\"><div>{parts}</div></div>"
};

/** How a notebook stands. */
export interface Status {
  version: string;
  notebook: string | null;
  agent: string;
  model: string;
  thread_id: string | null;
  thread: string;
  n_running: number;
  n_waiting: number;
}

/** Which threads are wanted. */
export interface ThreadsWanted {
  words?: string;
  offset?: number;
  limit?: number;
  archived?: boolean;
}

/** Some of the threads that were found, the last changed first. */
export interface ThreadPage {
  rows: ThreadRow[];
  n_found: number;
  n_open: number;
}

/** Names a thread. */
export interface OneThread {
  thread_id: string;
}

/** A thread and what it is to be called. */
export interface NewTitle {
  thread_id: string;
  title: string;
}

/** A thread, and whether it belongs among the archived ones. */
export interface Archiving {
  thread_id: string;
  is_archived: boolean;
}

/** Which runs are wanted; what is empty is not asked about. */
export interface RunsWanted {
  words?: string;
  offset?: number;
  limit?: number;
  status?: string;
  agent?: string;
  thread_id?: string;
}

/** Some of the runs that were found, the newest first. */
export interface RunPage {
  rows: RunRow[];
  n_found: number;
  agents: string[];
}

/** What a person asks of a run: stop, steer, allow, allow_thread, edit or deny, with what belongs to it. */
export interface Action {
  run_id: string;
  t: string;
  call_id?: string;
  text?: string;
  arguments?: string;
  reason?: string;
}

/** What is wrong with what was asked, in words; empty if it is done. */
export interface Acted {
  problem: string;
}

/** The agents of a notebook, and what was allowed in its thread. */
export interface Agents {
  rows: AgentRow[];
  thread_id: string;
  thread: string;
  allowed: string[];
}

/** Names an agent. */
export interface OneAgent {
  name: string;
}

/** A tool that is to be asked for again, and the thread in which it was allowed. */
export interface Revoked {
  thread_id: string;
  tool: string;
}

/** All that waits, the oldest first, and what time it is for the kernel. */
export interface Approvals {
  rows: Approval[];
  now: number;
}

/** What was spent in this database, in its runs of today, in this notebook and in its thread. */
export interface Budget {
  budget_usd: number | null;
  today: Spent;
  notebook: Spent;
  thread: Spent;
}

/** What a person says in a chat, and to which thread; empty: to the one that cells continue. */
export interface Said {
  text: string;
  thread_id?: string;
}

/** What was said, and what the agent did: a bundle of an output. */
export interface Turn {
  turn: string;
  run_id: string;
  thread_id: string;
  prompt: string;
  agent: string;
  is_running: boolean;
  cell_id: string;
  bundle: Record<string, unknown>;
}

/** What a person asks of a turn that goes on: stop, or steer with a text. */
export interface Steered {
  turn: string;
  t: string;
  text?: string;
}

/** What is wrong with what was asked of a turn; empty if it is done. */
export interface Acting {
  problem: string;
}

/** Which part of a thread is wanted. */
export interface ThreadWanted {
  thread_id?: string;
  before?: string;
  limit?: number;
  known?: string[];
}

/** Turns of a thread in their order. */
export interface History {
  thread_id: string;
  thread: string;
  agent: string;
  turns: Turn[];
  has_more: boolean;
}

/** What is not as it was: `threads`, `runs`, `agents`, `approvals`, `status`. Ask anew for what is shown. */
export interface Changed {
  what: string[];
}

/** A thread, as a line of a list. */
export interface ThreadRow {
  thread_id: string;
  title: string;
  agent: string;
  updated_at: number;
  n_runs: number;
  n_messages: number;
  cost_usd: number | null;
  notebook: string;
  is_archived: boolean;
  is_current: boolean;
  is_running: boolean;
}

/** A run, as a line of a list. */
export interface RunRow {
  run_id: string;
  agent: string;
  model: string;
  status: string;
  started_at: number;
  duration_s: number | null;
  input_tokens: number;
  output_tokens: number;
  cost_usd: number | null;
  prompt: string;
  error: string;
  thread_id: string;
  thread: string;
  notebook: string;
  cell_id: string;
  is_live: boolean;
}

/** An agent of the notebook. */
export interface AgentRow {
  name: string;
  model: string;
  instructions: string;
  is_current: boolean;
  tools: ToolRow[];
  problem: string;
}

/** A tool call that waits for a person. */
export interface Approval {
  run_id: string;
  call_id: string;
  name: string;
  agent: string;
  thread: string;
  notebook: string;
  arguments: string;
  reason: string;
  asked_at: number;
  fields: FormField[];
}

/** What some runs have cost. */
export interface Spent {
  usd: number;
  n_runs: number;
  n_unknown: number;
}

/** A tool of an agent, and what its calls may do. */
export interface ToolRow {
  name: string;
  description: string;
  permission: string;
  reason: string;
  is_allowed_here: boolean;
}

/** One argument of a call, as a form shows it; see `widgets/form.py`. */
export interface FormField {
  name: string;
  kind: string;
  text: string;
  given?: string | null;
  options?: string[] | null;
  hint?: string | null;
  is_nullable?: boolean;
}

/** What a page may ask of the kernel. */
export interface KernelAsks {
  'status': { given: Record<string, never>; answer: Status };
  'threads.list': { given: ThreadsWanted; answer: ThreadPage };
  'threads.new': { given: Record<string, never>; answer: OneThread };
  'threads.use': { given: OneThread; answer: Record<string, never> };
  'threads.rename': { given: NewTitle; answer: Record<string, never> };
  'threads.fork': { given: OneThread; answer: OneThread };
  'threads.archive': { given: Archiving; answer: Record<string, never> };
  'threads.delete': { given: OneThread; answer: Record<string, never> };
  'runs.list': { given: RunsWanted; answer: RunPage };
  'runs.act': { given: Action; answer: Acted };
  'agents.list': { given: Record<string, never>; answer: Agents };
  'agents.use': { given: OneAgent; answer: Record<string, never> };
  'agents.revoke': { given: Revoked; answer: Record<string, never> };
  'approvals.list': { given: Record<string, never>; answer: Approvals };
  'budget': { given: Record<string, never>; answer: Budget };
  'chat.send': { given: Said; answer: Turn };
  'chat.act': { given: Steered; answer: Acting };
  'chat.history': { given: ThreadWanted; answer: History };
}

/** What the kernel may ask of a page. */
export interface PageAsks {

}

/** What the kernel tells every page. */
export interface News {
  'changed': Changed;
  'chat.shown': Turn;
}
