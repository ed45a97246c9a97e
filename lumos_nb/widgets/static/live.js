// The live view of one run. The kernel renders rows to safe HTML and sends what changed;
// this file puts it into the page, and tells the kernel what a person does.

const page = (globalThis.lumosPage ??= Math.random().toString(36).slice(2));

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

// A frame of the saved output, with its places empty.
function frame(shell) {
  const template = document.createElement("template");
  template.innerHTML = shell.replace(/\{\w+\}/g, "");
  return template.content.firstElementChild;
}

function seconds(s) {
  return s < 60 ? `${s.toFixed(1)} s` : `${Math.floor(s / 60)} min ${String(Math.floor(s % 60)).padStart(2, "0")} s`;
}

class View {
  constructor(model, el, ask) {
    this.model = model;
    this.ask = ask;
    this.root = frame(model.get("shells").run);
    this.root.classList.add("lumos");
    [this.head, this.body, this.foot] = this.root.children;
    this.head.classList.add("lumos-head");
    this.title = element("span");
    this.figures = element("span", "lumos-figures");
    this.stop = element("button", "lumos-button", "Stop");
    this.stop.type = "button";
    this.stop.title = "Stop this run (Esc)";
    this.stop.onclick = () => this.onStop();
    this.head.append(this.title, this.figures, this.stop);
    this.heard = element("div", "lumos-heard"); // states for those who listen, never tokens
    this.heard.setAttribute("aria-live", "polite");
    this.root.append(this.heard);
    this.root.addEventListener("keydown", (event) => this.onKey(event));
    el.classList.add("jp-RenderedHTMLCommon", "jp-RenderedHTML");
    el.append(this.root);
    this.clear();
    this.timer = setInterval(() => this.tick(), 100);
  }

  clear() {
    this.body.replaceChildren();
    this.foot.replaceChildren();
    this.status = element("div");
    this.status.style.cssText = "color:var(--jp-ui-font-color2,#7a7a7a)";
    this.foot.append(this.status);
    this.rows = [];
  }

  // ---- what the kernel says ----

  header(changed, elapsed) {
    const h = { ...this.h, ...changed };
    if (elapsed !== undefined) this.began = performance.now() - elapsed * 1000;
    this.began ??= performance.now();
    if (h.state !== this.h?.state) this.since = performance.now();
    if (h.state !== this.h?.state || h.running !== this.h?.running)
      this.heard.textContent = h.running ? h.state : "The run has ended";
    this.h = h;
    this.title.textContent = h.title;
    this.tick();
  }

  tick() {
    const h = this.h;
    if (!h) return;
    const now = performance.now();
    this.stop.hidden = !h.running;
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
    this.clock.textContent = ` ${seconds((now - this.began) / 1000)}${h.figures ? " · " + h.figures : ""}`;
    const waited = (now - this.since) / 1000;
    this.status.textContent = h.state ? `${h.state}${waited >= 1 ? ` ${Math.floor(waited)} s` : ""}` : "\u00a0";
    for (const row of this.rows) {
      const state = row.head?.querySelector("[data-since]");
      if (state && (row.since ??= now)) state.textContent = `running ${seconds((now - row.since) / 1000)}`;
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
    else if (what === "a") this.question(row, rest[0]);
    else if (what === "f") this.foot.innerHTML = i;
  }

  addRow(i, kind) {
    const node = frame(this.model.get("shells")[kind]);
    const row = { node, head: node.querySelector("summary"), box: node.lastElementChild, headText: "", parts: [], texts: [], typeset: 0, isOpen: false };
    node.addEventListener("toggle", () => {
      if (node.open === row.isOpen) return; // it was the kernel's wish
      row.isOpen = node.open;
      row.chosen = true;
      this.height = 0;
      this.body.style.minHeight = "";
      this.ask({ t: "open", row: i, open: node.open });
    });
    this.rows[i] = row;
    this.body.append(node);
  }

  patch(row, j, keep, tail) {
    while (row.parts.length <= j) {
      row.parts.push(row.box.insertBefore(element("div"), row.bar ?? null));
      row.texts.push("");
    }
    row.texts[j] = row.texts[j].slice(0, keep) + tail;
    row.parts[j].innerHTML = row.texts[j];
  }

  // Formulas are set once, when their block will not change any more.
  settle(row, n) {
    const typesetter = this.model.widget_manager?.rendermime?.latexTypesetter;
    for (; row.typeset < n; row.typeset++) {
      const part = row.parts[row.typeset];
      if (typesetter && part && /\$|\\[([]|\\begin/.test(part.textContent)) typesetter.typeset(part);
    }
  }

  question(row, callId) {
    row.bar?.remove();
    row.bar = undefined;
    if (!callId) return;
    const bar = (row.bar = element("div", "lumos-answer"));
    const button = (text, key, t) => {
      const node = element("button", "lumos-button", text);
      node.type = "button";
      node.dataset.key = key;
      node.onclick = () => {
        bar.querySelectorAll("button").forEach((b) => (b.disabled = true));
        this.ask({ t, call_id: callId });
      };
      bar.append(node);
    };
    button("Allow once", "a", "allow");
    button("Allow in this thread", "t", "allow_thread");
    button("Deny", "d", "deny");
    row.box.append(bar);
  }

  // ---- what a person does ----

  onStop() {
    this.stop.disabled = true;
    this.stop.textContent = "Stopping";
    this.ask({ t: "stop" });
  }

  onKey(event) {
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.key === "Escape" && this.h?.running) {
      event.preventDefault();
      this.onStop();
    } else if (plain && event.key.length === 1) {
      event.target.closest("details")?.querySelector(`.lumos-answer [data-key="${CSS.escape(event.key.toLowerCase())}"]`)?.click();
    }
    if (event.key !== "Tab") event.stopPropagation(); // Enter opens a row; it is not the notebook's
  }

  // Runs a change, keeps the height from shrinking, and follows the end if the end was in view.
  follow(change) {
    const before = this.root.getBoundingClientRect();
    const scroller = (this.scroller ??= scrollerOf(this.root));
    const edge = scroller?.getBoundingClientRect().bottom ?? innerHeight;
    const inView = before.bottom <= edge + 4 && before.bottom > 0;
    change();
    const height = this.body.offsetHeight;
    if (height > (this.height ?? 0)) this.height = height;
    this.body.style.minHeight = this.h?.running ? `${this.height}px` : "";
    const beyond = this.root.getBoundingClientRect().bottom - edge;
    if (inView && beyond > 0 && scroller) scroller.scrollTop += beyond + 8;
  }

  remove() {
    clearInterval(this.timer);
    this.root.remove();
  }
}

function scrollerOf(node) {
  for (let n = node.parentElement; n; n = n.parentElement)
    if (/auto|scroll/.test(getComputedStyle(n).overflowY) && n.scrollHeight > n.clientHeight) return n;
  return undefined;
}

// One of these for each run: what the page knows, shown by any number of views.
export default () => {
  const views = new Set();
  let seq = -1;
  let history = []; // the operations since the last whole state, for a view that comes later
  let head, elapsed, asked = 0;

  const show = (view, message) => view.follow(() => {
    if (message.whole) view.clear();
    for (const op of message.o) view.apply(op);
    if (message.h) view.header(message.h, message.e);
  });

  function receive(message, model) {
    if (message?.ping) model.send({ t: "pong", k: message.ping });
    if (!message?.o) return;
    if (message.whole ? message.s <= seq : message.s !== seq + 1) {
      if (message.s > seq + 1 && Date.now() - asked > 500) {
        asked = Date.now();
        model.send({ t: "resync", page });
      }
      return;
    }
    seq = message.s;
    history = message.whole ? [message] : [...history, message];
    for (const view of views) show(view, message);
  }

  return {
    initialize({ model }) {
      model.on("msg:custom", (message) => receive(message, model));
      const whole = model.get("snapshot");
      if (whole) receive(whole, model);
      model.send({ t: "ready", page });
      const gone = () => model.send({ t: "gone" });
      addEventListener("pagehide", gone);
      return () => removeEventListener("pagehide", gone);
    },
    render({ model, el }) {
      const view = new View(model, el, (message) => model.send(message));
      views.add(view);
      for (const message of history) show(view, message);
      return () => {
        views.delete(view);
        view.remove();
      };
    },
  };
};
