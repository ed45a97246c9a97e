// Written by `python -m lumos_nb.notebook.lab.typescript`; the kernel's code is the source.

export const PROTOCOL_VERSION = 1;
export const TRANSCRIPT_VERSION = 1;
export const RUN_MIME = "application/vnd.lumos.run+json";

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
  tape: string;
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

/** What is not as it was: `threads`, `runs`, `agents`, `approvals`, `status`. Ask anew for what is shown. */
export interface Changed {
  what: string[];
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

/** What a page may ask of the kernel. */
export interface KernelAsks {
  'status': { given: Record<string, never>; answer: Status };
  'cells.complete': { given: AtCursor; answer: Completed };
  'cells.stale': { given: ShownCells; answer: StaleCells };
}

/** What the kernel may ask of a page. */
export interface PageAsks {

}

/** What the kernel tells every page. */
export interface News {
  'changed': Changed;
}
