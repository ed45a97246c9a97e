// Written by `python -m lumos_nb.notebook.lab.typescript`; the kernel's code is the source.

export const PROTOCOL_VERSION = 1;
export const TRANSCRIPT_VERSION = 1;
export const TRACE_VERSION = 1;
export const RUN_MIME = "application/vnd.lumos.run+json";
export const TRACE_MIME = "application/vnd.lumos.trace+json";
export const LIVE_MIME = "application/vnd.lumos.live+json";
export const SHOWN_CHARS = 100000;

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

/** A run by its id. */
export interface OneRun {
  run_id: string;
}

/** The copy of a thread up to a run. */
export interface ForkedThread {
  thread_id: string;
  title: string;
}

/** How many runs hear that they are to stop. */
export interface Stopped {
  n: number;
}

/** What is not as it was: `threads`, `runs`, `agents`, `approvals`, `status`. Ask anew for what is shown. */
export interface Changed {
  what: string[];
}

/** The run of a view has ended; who still shows that view asks for its end. */
export interface Ended {
  view: string;
}

/** What a page may ask of the kernel. */
export interface KernelAsks {
  'status': { given: Record<string, never>; answer: Status };
  'outputs.mend': { given: LeftView; answer: Mended };
  'outputs.fork': { given: OneRun; answer: ForkedThread };
  'outputs.stop': { given: Record<string, never>; answer: Stopped };
}

/** What the kernel may ask of a page. */
export interface PageAsks {

}

/** What the kernel tells every page. */
export interface News {
  'changed': Changed;
  'outputs.ended': Ended;
}
