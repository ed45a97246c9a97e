// Written by `python -m lumos_nb.notebook.lab.typescript`; the kernel's code is the source.

export const PROTOCOL_VERSION = 1;
export const TARGET = "lumos_nb";
export const TRANSCRIPT_VERSION = 1;
export const TRACE_VERSION = 1;
export const RUN_MIME = "application/vnd.lumos.run+json";
export const TRACE_MIME = "application/vnd.lumos.trace+json";
export const LIVE_MIME = "application/vnd.lumos.live+json";
export const SHOWN_CHARS = 100000;

/** The options of a `%%agent` line. */
export const AGENT_OPTIONS = [
  {
    "names": [
      "-m",
      "--model"
    ],
    "takes": "MODEL",
    "kind": "model",
    "help": "vendor/model, or a variable that holds one; several with commas are asked in turn"
  },
  {
    "names": [
      "-t",
      "--thread"
    ],
    "takes": "THREAD",
    "kind": "thread",
    "help": "continue this thread; without it the notebook's own goes on"
  },
  {
    "names": [
      "--new"
    ],
    "takes": "",
    "kind": "",
    "help": "begin a thread, with -t one of that name"
  },
  {
    "names": [
      "--tools"
    ],
    "takes": "a,b",
    "kind": "tools",
    "help": "functions of the notebook, by name, in place of the agent's"
  },
  {
    "names": [
      "-o",
      "--output"
    ],
    "takes": "NAME[:TYPE]",
    "kind": "type",
    "help": "a variable for the result, beside _; with :TYPE for the answer as a value of that type"
  },
  {
    "names": [
      "--image"
    ],
    "takes": "X",
    "kind": "image",
    "help": "a picture, PDF or sound to send: a file, or a variable with a figure, an image, bytes"
  },
  {
    "names": [
      "--max-steps"
    ],
    "takes": "N",
    "kind": "",
    "help": "model calls before the run is stopped"
  },
  {
    "names": [
      "--max-cost"
    ],
    "takes": "USD",
    "kind": "",
    "help": "no model call once what is known to be spent has reached this, in US dollars"
  },
  {
    "names": [
      "--approve"
    ],
    "takes": "a,b",
    "kind": "approve",
    "help": "tools that need no question: names, patterns such as read_*, or all"
  },
  {
    "names": [
      "--background"
    ],
    "takes": "",
    "kind": "",
    "help": "return at once; the run goes on, and `await _` gives its result"
  },
  {
    "names": [
      "--dry-run"
    ],
    "takes": "",
    "kind": "",
    "help": "show what would be sent and what it may cost; send nothing"
  },
  {
    "names": [
      "--record"
    ],
    "takes": "",
    "kind": "",
    "help": "put this cell's requests on the notebook's tape, in place of what the cell had there"
  },
  {
    "names": [
      "--replay"
    ],
    "takes": "",
    "kind": "",
    "help": "play them from there: nothing is sent"
  },
  {
    "names": [
      "--live"
    ],
    "takes": "",
    "kind": "",
    "help": "send them, whatever tape is in force"
  }
];

/** The frames of a run and of its rows, the same in the live view, in saved HTML and here. */
export const SHELLS = {
  "run": "<div data-lumos=\"run\" data-lm-suppress-shortcuts=\"true\" style=\"font-family:var(--jp-content-font-family,sans-serif);color:var(--jp-content-font-color1,inherit);overflow-wrap:break-word;padding:4px 0\"><div style=\"padding-bottom:2px;margin-bottom:4px;border-bottom:1px solid var(--jp-border-color2,#8886);color:var(--jp-ui-font-color2,#7a7a7a)\">{head}</div><div>{rows}</div><div>{footer}</div></div>",
  "text": "<div data-lumos=\"text\" style=\"margin:4px 0\"><div>{parts}</div></div>",
  "reasoning": "<details data-lumos=\"reasoning\"{open} style=\"margin:0 0 6px 0;color:var(--jp-ui-font-color2,#7a7a7a)\"><summary style=\"cursor:pointer;padding:2px 0;line-height:1.5\">{head}</summary><div style=\"border-left:2px solid var(--jp-border-color2,#8886);margin:2px 0 6px 4px;padding:2px 0 2px 12px\">{parts}</div></details>",
  "tool": "<details data-lumos=\"tool\"{open} style=\"margin:0 0 6px 0\"><summary style=\"cursor:pointer;padding:2px 0;line-height:1.5\">{head}</summary><div style=\"border-left:2px solid var(--jp-border-color2,#8886);margin:2px 0 6px 4px;padding:2px 0 2px 12px\">{parts}</div></details>",
  "user": "<div data-lumos=\"user\" style=\"margin:6px 0;padding:2px 0 2px 12px;border-left:2px solid var(--jp-brand-color1,#4a90d9)\"><div>{parts}</div></div>"
};

/** The inline styles of what is in them. */
export const STYLES = {
  "line": "display:inline-flex;flex-wrap:wrap;gap:0 10px;width:calc(100% - 16px);vertical-align:top;align-items:baseline",
  "cut": "flex:1 1 0;min-width:0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap",
  "muted": "color:var(--jp-ui-font-color2,#7a7a7a)",
  "error": "color:color-mix(in srgb,var(--jp-error-color1,#e05048) 75%,var(--jp-content-font-color1,currentColor))",
  "failure": "border-left:2px solid var(--jp-error-color1,#d9453d);padding:2px 0 2px 12px;margin:4px 0 6px 4px",
  "code": "overflow-x:auto;margin:0 0 8px 0;padding:6px 10px;background:var(--jp-cell-editor-background,#8881);border:1px solid var(--jp-cell-editor-border-color,#8884)",
  "printed": "margin:0;padding:0;background:none;white-space:pre-wrap;overflow-wrap:anywhere;font-family:var(--jp-code-font-family,monospace);font-size:var(--jp-code-font-size,13px);line-height:1.4",
  "scroll": "max-height:420px;overflow:auto;max-width:100%",
  "table": "margin:0 0 8px 0;table-layout:auto;border-collapse:collapse;font-size:inherit"
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
  cost_usd: number;
  today_usd: number;
  n_unknown_today: number;
  budget_usd: number | null;
  tape: string;
}

/** A view that a page still finds in an output. */
export interface LeftView {
  view: string;
}

/** What became of the run of a view; with the bundle that takes its place if it is over. */
export interface Mended {
  state: 'ended' | 'running' | 'unknown';
  bundle?: Record<string, unknown> | null;
}

/** How many runs hear that they are to stop. */
export interface Stopped {
  n: number;
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

/** Which thread is to be copied, and up to and with which run; empty: all of it. */
export interface Fork {
  thread_id: string;
  run_id?: string;
}

/** The copy of a thread. */
export interface ForkedThread {
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

/** Names a run. */
export interface RunNamed {
  run_id: string;
}

/** A run as a bundle of an output. */
export interface RunShown {
  bundle: Record<string, unknown>;
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

/** A cell's text, and where the cursor is in it, in characters. */
export interface AtCursor {
  source: string;
  cursor: number;
}

/** What may stand in place of the characters from `start` to `end` of a cell. */
export interface Completed {
  start: number;
  end: number;
  items: Candidate[];
}

/** What the agents' cells of a notebook say now, by their ids. */
export interface ShownCells {
  cells: Record<string, string>;
}

/** The cells whose results are stale; all others are fresh, or have none. */
export interface StaleCells {
  cells: StaleCell[];
}

/** What waits, in the order in which it was proposed. */
export interface Proposals {
  proposals: Proposal[];
}

/** What a person decided about a proposal. */
export interface Verdict {
  run_id: string;
  call_id: string;
  accepts: boolean;
  page: string;
  source?: string | null;
  base?: string | null;
  reason?: string;
  is_impossible?: boolean;
}

/** A cell in a list: the beginning of its text, and how it stands. */
export interface CellOutline {
  id: string;
  type: string;
  source: string;
  n_lines: number;
  state: string;
  execution_count: number | null;
  n_outputs: number;
}

/** A cell by its id. */
export interface CellNamed {
  cell_id: string;
}

/** A cell in full, and its outputs as text. */
export interface CellText {
  id: string;
  type: string;
  source: string;
  state: string;
  execution_count: number | null;
  outputs: string[];
}

/** What to do to the notebook, in one step that can be undone. */
export interface CellChange {
  kind: 'delete' | 'edit' | 'insert' | 'run';
  cell_id: string;
  agent: string;
  after?: string;
  type?: 'code' | 'markdown' | 'raw';
  source?: string;
  old?: string | null;
  base?: string | null;
  is_marked?: boolean;
}

/** How a cell ended that the page ran, with its outputs as text. */
export interface CellRan {
  is_ok: boolean;
  execution_count: number | null;
  outputs: string[];
}

/** What the kernel ran in a cell's name while another one held it: the outputs belong there. */
export interface CellOutputs {
  cell_id: string;
  is_running: boolean;
  execution_count?: number | null;
  outputs?: unknown[];
}

/** What is not as it was: `threads`, `runs`, `agents`, `approvals`, `status`. Ask anew for what is shown. */
export interface Changed {
  what: string[];
}

/** The run of a view has ended; who still shows that view asks for its end. */
export interface Ended {
  view: string;
}

/** A thread, as a line of a list. */
export interface ThreadRow {
  thread_id: string;
  title: string;
  agent: string;
  updated_at: number;
  n_runs: number;
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

/** A text that may stand at the cursor. */
export interface Candidate {
  text: string;
  kind: string;
  help?: string;
}

/** Why a cell's result is stale. */
export interface StaleCell {
  cell_id: string;
  reason: string;
  names: string;
}

/** What an agent wants to do to a cell. */
export interface Proposal {
  run_id: string;
  call_id: string;
  agent: string;
  kind: 'delete' | 'edit' | 'insert' | 'run';
  cell_id: string;
  type: string;
  source: string;
  old: string | null;
  base: string | null;
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
  'outputs.mend': { given: LeftView; answer: Mended };
  'outputs.stop': { given: Record<string, never>; answer: Stopped };
  'threads.list': { given: ThreadsWanted; answer: ThreadPage };
  'threads.new': { given: Record<string, never>; answer: OneThread };
  'threads.use': { given: OneThread; answer: Record<string, never> };
  'threads.rename': { given: NewTitle; answer: Record<string, never> };
  'threads.fork': { given: Fork; answer: ForkedThread };
  'threads.archive': { given: Archiving; answer: Record<string, never> };
  'threads.delete': { given: OneThread; answer: Record<string, never> };
  'runs.list': { given: RunsWanted; answer: RunPage };
  'runs.show': { given: RunNamed; answer: RunShown };
  'runs.act': { given: Action; answer: Record<string, never> };
  'agents.list': { given: Record<string, never>; answer: Agents };
  'agents.use': { given: OneAgent; answer: Record<string, never> };
  'agents.revoke': { given: Revoked; answer: Record<string, never> };
  'approvals.list': { given: Record<string, never>; answer: Approvals };
  'budget': { given: Record<string, never>; answer: Budget };
  'chat.send': { given: Said; answer: Turn };
  'chat.act': { given: Steered; answer: Record<string, never> };
  'chat.history': { given: ThreadWanted; answer: History };
  'cells.complete': { given: AtCursor; answer: Completed };
  'cells.stale': { given: ShownCells; answer: StaleCells };
  'proposals.list': { given: Record<string, never>; answer: Proposals };
  'proposals.decide': { given: Verdict; answer: Record<string, never> };
}

/** What the kernel may ask of a page. */
export interface PageAsks {
  'cells.list': { given: Record<string, never>; answer: CellOutline[] };
  'cells.read': { given: CellNamed; answer: CellText };
  'cells.change': { given: CellChange; answer: Record<string, never> };
  'cells.run': { given: CellNamed; answer: CellRan };
  'cells.outputs': { given: CellOutputs; answer: Record<string, never> };
}

/** What the kernel tells every page. */
export interface News {
  'changed': Changed;
  'outputs.ended': Ended;
  'chat.shown': Turn;
}
