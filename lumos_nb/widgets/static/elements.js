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
