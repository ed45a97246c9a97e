// The view of one run. The kernel renders rows to safe HTML and sends what changed; this puts it into
// the page, and tells the kernel what a person does.

const HEARD_MS = 300; // a kernel that is free has heard a Stop by then
const SAY = "Say something to the agent";

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms, null));

class View {
  constructor(model, el, reach) {
    this.model = model;
    this.reach = reach;
    this.living = new Living(model.widget_manager);
    this.root = frame(model.get("shells").run);
    this.root.classList.add("lumos");
    [this.head, this.body, this.foot] = this.root.children;
    this.head.classList.add("lumos-head");
    this.title = element("span");
    this.figures = element("span", "lumos-figures");
    this.stop = button("Stop", () => this.onStop(), "Stop this run (Esc)");
    this.head.append(this.title, this.figures, this.stop);
    this.heard = element("div", "lumos-heard"); // states for those who listen, never tokens
    this.heard.setAttribute("aria-live", "polite");
    this.root.append(this.heard);
    this.root.addEventListener("keydown", (event) => this.onKey(event));
    this.line = this.footLine();
    this.questions = new Map();
    el.classList.add("jp-RenderedHTMLCommon", "jp-RenderedHTML");
    el.append(this.root);
    this.height = new Height(this.root, this.body);
    this.clear();
    this.timer = setInterval(() => this.tick(), 100);
  }

  // Below the rows: what the run waits for, and a line to say something.
  footLine() {
    const line = element("div", "lumos-foot");
    this.status = element("span", "lumos-quiet");
    const label = element("label", "lumos-say");
    this.said = element("input", "lumos-input");
    this.said.placeholder = SAY;
    label.append(element("span", "lumos-heard", SAY), this.said);
    line.append(this.status, label);
    return line;
  }

  clear() {
    this.body.replaceChildren();
    if (this.line.parentElement !== this.foot) this.foot.replaceChildren(this.line);
    this.rows = [];
  }

  // ---- what the kernel says ----

  show(message) {
    this.height.follow(() => {
      if (message.whole) this.clear();
      for (const op of message.o) this.apply(op);
      if (message.h) this.header(message);
      return this.h?.running;
    });
  }

  header(message) {
    const h = { ...this.h, ...message.h };
    // Both clocks in this page's time; a view that comes later is told what came before.
    if (message.e !== undefined) this.began = message.at - message.e * 1000;
    if (message.k !== undefined) this.epoch = message.at - message.k * 1000;
    if (h.state !== this.h?.state) {
      this.since = message.at;
      this.notice = "";
    }
    if (!h.running && this.h?.running) this.announce("The run has ended");
    else if (h.state !== this.h?.state && h.state !== "waiting for you") this.announce(h.state); // a question speaks for itself
    this.h = h;
    this.title.textContent = h.title;
    this.tick();
  }

  announce(text) {
    if (text) this.heard.textContent = text;
  }

  tick() {
    const h = this.h;
    if (!h) return;
    const now = performance.now();
    this.stop.hidden = this.line.lastChild.hidden = !h.running;
    if (!h.running) {
      this.figures.textContent = "";
      clearInterval(this.timer);
      return;
    }
    if (!this.dot) {
      this.dot = element("span", "lumos-dot", "●");
      this.clock = element("span");
      this.figures.replaceChildren(this.dot, this.clock);
    }
    const isGone = this.reach.isGone; // then nothing goes on
    this.dot.classList.toggle("lumos-dot", !isGone);
    if (!isGone) this.clock.textContent = ` ${seconds((now - this.began) / 1000)}${h.figures ? " · " + h.figures : ""}`;
    const waited = (now - this.since) / 1000;
    const state = h.state ? `${h.state}${waited >= 1 ? ` ${Math.floor(waited)} s` : ""}` : "\u00a0";
    if ((this.notice || state) !== this.shown) say(this.status, (this.shown = this.notice || state));
    if (isGone) return;
    for (const row of this.rows) {
      const node = row.head?.querySelector("[data-since]");
      if (!node) continue;
      const label = (node.dataset.label ??= node.textContent);
      const s = Math.max(0, now - this.epoch - node.dataset.since * 1000) / 1000;
      node.textContent = `${label} ${label === "running" ? seconds(s) : clock(s)}`;
    }
  }

  apply(op) {
    const [what, i, ...rest] = op;
    const row = this.rows[i];
    if (what === "r") this.addRow(i, rest[0]);
    else if (what === "h") row.head.innerHTML = row.headText = row.headText.slice(0, rest[0]) + rest[1];
    else if (what === "p") this.patch(row, ...rest);
    else if (what === "s") this.settle(row, rest[0]);
    else if (what === "o") { if (!row.chosen) row.node.open = row.isOpen = rest[0]; }
    else if (what === "a") this.ask(row, rest[0]);
    else if (what === "f") this.foot.innerHTML = i;
  }

  addRow(i, kind) {
    const node = frame(this.model.get("shells")[kind]);
    const row = { node, head: node.querySelector("summary"), box: node.lastElementChild, headText: "", parts: [], texts: [], typeset: 0, isOpen: false };
    node.addEventListener("toggle", () => {
      if (node.open === row.isOpen) return; // it was the kernel's wish
      row.isOpen = node.open;
      row.chosen = true;
      this.height.letShrink();
      this.reach.tell({ t: "open", row: i, open: node.open });
    });
    this.rows[i] = row;
    this.body.append(node);
    if (kind === "user") this.said.placeholder = SAY;
  }

  patch(row, j, keep, tail) {
    while (row.parts.length <= j) {
      row.parts.push(row.box.insertBefore(element("div"), row.question?.node ?? null));
      row.texts.push("");
    }
    row.texts[j] = row.texts[j].slice(0, keep) + tail;
    row.parts[j].innerHTML = row.texts[j];
    this.living.fill(row.parts[j]);
  }

  // Formulas are set once, when their block will not change any more.
  settle(row, n) {
    const typesetter = this.model.widget_manager?.rendermime?.latexTypesetter;
    for (; row.typeset < n; row.typeset++) {
      const part = row.parts[row.typeset];
      if (typesetter && part && /\$|\\[([]|\\begin/.test(part.textContent)) typesetter.typeset(part);
    }
  }

  ask(row, question) {
    const before = row.question;
    row.question = undefined;
    if (before) {
      if (before.node.contains(document.activeElement)) row.head.focus(); // not to the notebook, where D deletes
      before.node.remove();
      before.forget();
      this.questions.delete(before.id);
      this.height.letShrink();
    }
    if (!question) return before && this.announce(row.head.innerText);
    // A whole state that comes meanwhile does not cost what a person has typed.
    const asked = new Question(question, (action) => this.reach.ask(action));
    row.question = this.questions.get(asked.id) ?? asked;
    this.questions.set(asked.id, row.question);
    row.box.append(row.question.node);
    row.question.restore();
    this.announce(`${question.name} waits for you. ${question.reason}`);
  }

  // ---- what a person does ----

  async onStop() {
    setBusy([this.stop], true);
    this.stop.textContent = "Stopping";
    this.announce("Stopping");
    // A line that waits for input() ends by an interrupt alone; else the notebook would wait for it for ever.
    if (this.root.closest(".jp-Cell, .cell")?.querySelector(".jp-Stdin-input")) await this.interrupt();
    const answer = this.reach.ask({ t: "stop" });
    if ((await Promise.race([answer, pause(HEARD_MS)])) === null) await this.interrupt();
    const problem = await answer;
    if (!problem || !this.h?.running) return; // "Stopping" stands until the run has ended
    this.tellOf(problem);
    this.stop.textContent = "Stop";
    setBusy([this.stop], false);
  }

  // Not for a run in the background: the interrupt would hit what another cell does.
  async interrupt() {
    if (this.h?.running && !this.h.background) await this.reach.interrupt();
  }

  async onSay() {
    const text = this.said.value.trim();
    if (!text || this.said.readOnly) return;
    this.said.readOnly = true;
    const problem = await this.reach.ask({ t: "steer", text });
    this.said.readOnly = false;
    this.tellOf(problem);
    if (problem) return;
    this.said.value = "";
    this.said.placeholder = "The agent reads it at its next step";
    this.announce(this.said.placeholder);
  }

  tellOf(problem) {
    this.notice = problem;
    if (problem) this.announce(problem.replaceAll("`", ""));
    this.tick();
  }

  onKey(event) {
    const isSaying = event.target === this.said;
    const row = this.rows.find(({ question, node }) => question && node.contains(event.target));
    if (isSaying && event.key === "Enter" && !event.isComposing) this.onSay();
    else if (isSaying && event.key === "Escape") this.stop.focus(); // who writes does not mean to stop
    else if ((event.ctrlKey || event.metaKey) && event.key === "s") this.handOver(event);
    else if (!isSaying && row?.question.onKey(event)) event.preventDefault();
    else if (!isSaying && event.key === "Escape" && this.h?.running) {
      event.preventDefault();
      this.stop.click();
    }
    if (event.key !== "Tab") event.stopPropagation(); // Enter opens a row; it is not the notebook's
  }

  // The notebook takes no keys from inside the view; who saves means the notebook.
  handOver(event) {
    event.preventDefault();
    this.root.parentElement.dispatchEvent(new KeyboardEvent("keydown", event));
  }

  remove() {
    clearInterval(this.timer);
    this.living.remove();
    this.root.remove();
  }
}
