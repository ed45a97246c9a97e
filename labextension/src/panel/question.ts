// Written by `python -m lumos_nb.notebook.lab.typescript`; the source is the live view's own form,
// so that a question in the side panel is the one in the cell.
// @ts-nocheck

const ANSWER_MS = 1000;

// What the view is built of: elements of the page, and how it says a time.

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

function button(text, act, title) {
  const node = element("button", "lumos-button", text);
  node.type = "button";
  if (title) node.title = title;
  // Not `disabled`: that would take the focus away from who works by keyboard.
  node.onclick = () => node.getAttribute("aria-disabled") !== "true" && act();
  return node;
}

function setBusy(nodes, isBusy) {
  for (const node of nodes)
    if (isBusy) node.setAttribute("aria-disabled", "true");
    else node.removeAttribute("aria-disabled");
}

// Puts a sentence into a node; what stands in backticks is to be typed.
function say(node, text) {
  node.replaceChildren(...text.split("`").map((part, i) => (i % 2 ? element("code", "", part) : part)));
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

function clock(s) {
  return `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
}

// The question in a tool's row: may this call run, and with these arguments?

// Which form is open, for the time of a reload.
const remembered = {
  get(id) {
    try {
      return sessionStorage.getItem(`lumos ${id}`);
    } catch {
      return null; // the frame of some front ends may keep nothing
    }
  },
  set(id, form) {
    try {
      if (form) sessionStorage.setItem(`lumos ${id}`, form);
      else sessionStorage.removeItem(`lumos ${id}`);
    } catch {
      return; // as above
    }
  },
};

class Question {
  constructor(question, ask) {
    this.question = question;
    this.id = `${question.call_id} ${question.asked_at}`; // vendors number calls anew in each step
    this.ask = ask;
    this.node = element("div", "lumos-question");
    this.node.setAttribute("role", "group");
    this.node.setAttribute("aria-label", `${question.name} waits for you`);
    this.place = element("div");
    this.problem = element("div", "lumos-problem");
    this.problem.setAttribute("role", "alert");
    if (question.reason) this.node.append(line("Reason", element("span", "", question.reason)));
    this.node.append(this.place, this.problem);
    this.choices = element("div", "lumos-buttons");
    this.choices.append(
      button("Allow once", () => this.answer({ t: "allow" }), "A"),
      button("Allow in this thread", () => this.answer({ t: "allow_thread" }), "T"),
      button("Edit…", () => this.edit(), "E"),
      button("Deny…", () => this.deny(), "D"),
    );
    this.place.append(this.choices);
    this.send = undefined; // what the open form sends
  }

  // A page that was reloaded shows the form that was open.
  restore() {
    const form = remembered.get(this.id);
    if (!this.send && (form === "edit" || form === "deny")) this[form](false);
  }

  forget() {
    remembered.set(this.id);
  }

  // Sends an answer. The row changes when the run has taken it; a problem leaves all as it is, to be sent again.
  async answer(action) {
    const buttons = this.node.querySelectorAll("button");
    setBusy(buttons, true);
    this.show("");
    const problem = await this.ask({ ...action, call_id: this.question.call_id });
    if (problem) this.show(problem);
    setTimeout(() => setBusy(buttons, false), problem ? 0 : ANSWER_MS);
  }

  show(problem) {
    say(this.problem, problem);
    if (problem) this.problem.scrollIntoView({ block: "nearest" });
  }

  edit(takesFocus = true) {
    const fields = this.question.fields.map(fieldOf);
    const form = element("div", "lumos-form"); // takes the place of the arguments above it
    form.append(...fields.map((field) => field.node));
    if (!fields.length) form.append(element("div", "lumos-quiet", "This tool takes no arguments."));
    this.open("edit", takesFocus, form, "Allow with these arguments", () => {
      try {
        this.answer({ t: "edit", arguments: jsonOf(fields) });
      } catch (problem) {
        this.show(problem.message);
      }
    });
  }

  deny(takesFocus = true) {
    const reason = element("input", "lumos-input");
    reason.onkeydown = (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      this.send();
    };
    const label = element("label", "lumos-field");
    label.append(element("span", "lumos-name", "Why, as the model is told"), reason);
    label.classList.add("lumos-stacked");
    this.open("deny", takesFocus, label, "Deny", () => this.answer({ t: "deny", reason: reason.value.trim() }));
  }

  open(name, takesFocus, content, verb, send) {
    remembered.set(this.id, name);
    const buttons = element("div", "lumos-buttons");
    const act = () => buttons.firstChild.getAttribute("aria-disabled") !== "true" && send();
    buttons.append(button(verb, send), button("Cancel", () => this.close()));
    this.came = document.activeElement;
    this.send = act;
    this.show("");
    this.place.replaceChildren(content, buttons);
    if (!takesFocus) return;
    buttons.scrollIntoView({ block: "nearest" });
    this.place.querySelector("input, textarea, select, button")?.focus();
  }

  close() {
    this.forget();
    this.send = undefined;
    this.show("");
    this.place.replaceChildren(this.choices);
    (this.came?.isConnected ? this.came : this.choices.firstChild).focus();
  }

  // Returns whether the key was meant for this question.
  onKey(event) {
    if (event.isComposing || event.target.closest(".lumos-widget")) return false;
    if (this.send) {
      if (event.key === "Escape") this.close();
      else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.send();
      else return false;
      return true;
    }
    const choice = ["a", "t", "e", "d"].indexOf(event.key.toLowerCase());
    if (choice < 0 || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return false;
    this.choices.children[choice].click();
    return true;
  }
}

// A name and what belongs to it, as the sections of a row stand.
function line(name, ...nodes) {
  const row = element("div", "lumos-field");
  row.append(element("span", "lumos-name", name), ...nodes);
  return row;
}

// A control for one argument; `read` returns its JSON text, or undefined if it is to be left out.
function fieldOf(field) {
  const control = CONTROLS[field.kind](field);
  const node = element("label", "lumos-field");
  if (field.kind === "whole") node.classList.add("lumos-stacked");
  const value = element("span", "lumos-value");
  value.append(control);
  if (field.hint) value.append(element("span", "lumos-hint", field.hint));
  node.append(element("span", "lumos-name", field.name || "Arguments, as JSON"), value);
  const state = () => (control.type === "checkbox" ? control.checked : control.value);
  const before = state();
  // What nobody touched is sent as the model wrote it.
  return { name: field.name, node, read: () => (state() === before ? field.given : READ[field.kind](field, control)) };
}

function area(field) {
  const node = element("textarea", "lumos-input");
  node.value = field.text;
  node.rows = Math.min(14, Math.max(field.kind === "json" ? 1 : 2, field.text.split("\n").length));
  node.spellcheck = false;
  return node;
}

function input(field) {
  const node = element("input", "lumos-input");
  node.value = field.text;
  if (field.kind === "number") node.inputMode = "decimal";
  return node;
}

const CONTROLS = {
  line: input,
  number: input, // not of the type number: that rounds what is long
  area,
  json: area,
  whole: area,
  boolean(field) {
    const node = element("input");
    node.type = "checkbox";
    node.checked = field.text === "true";
    return node;
  },
  select(field) {
    const node = element("select", "lumos-input");
    if (field.is_nullable || !field.text) node.append(new Option("", ""));
    for (const option of field.options) {
      const value = JSON.parse(option);
      node.append(new Option(typeof value === "string" ? value : option, option));
    }
    node.value = field.text;
    return node;
  },
};

const empty = (field) => (field.is_nullable ? "null" : undefined);
const text = (field, { value }) => (value || !field.is_nullable ? JSON.stringify(value) : "null");
const READ = {
  line: text,
  area: text,
  whole: (_, { value }) => value,
  boolean: (_, { checked }) => String(checked),
  select: (field, { value }) => value || empty(field),
  number(field, { value }) {
    const number = value.trim();
    if (number && !/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(number)) throw new Error(`${field.name}: ${number} is not a number.`);
    return number || empty(field);
  },
  json(field, { value }) {
    try {
      if (value.trim()) JSON.parse(value);
    } catch (error) {
      throw new Error(`${field.name}: this is not JSON. ${error.message}`);
    }
    return value.trim() || empty(field);
  },
};

function jsonOf(fields) {
  const read = fields.map(({ name, read }) => [name, read()]);
  if (fields.length === 1 && !fields[0].name) return read[0][1];
  const given = read.filter(([, json]) => json !== undefined);
  return `{${given.map(([name, json]) => `${JSON.stringify(name)}: ${json}`).join(", ")}}`;
}

export { Question };
