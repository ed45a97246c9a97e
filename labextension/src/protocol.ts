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

/** What a page may ask of the kernel. */
export interface KernelAsks {
  'status': { given: Record<string, never>; answer: Status };
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
}
