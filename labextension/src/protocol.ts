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

/** What is not as it was: `threads`, `runs`, `agents`, `approvals`, `status`. Ask anew for what is shown. */
export interface Changed {
  what: string[];
}

/** What a page may ask of the kernel. */
export interface KernelAsks {
  'status': { given: Record<string, never>; answer: Status };
}

/** What the kernel may ask of a page. */
export interface PageAsks {

}

/** What the kernel tells every page. */
export interface News {
  'changed': Changed;
}
