// What the page knows of a run: every message in its order, and the whole anew where one is missing.

const page = (globalThis.lumosPage ??= Math.random().toString(36).slice(2));

// One of these for each run: what the page knows, shown by any number of views.
export default () => {
  const views = new Set();
  let reach;
  let seq = -1;
  let history = []; // the operations since the last whole state, for a view that comes later
  let asked = 0;

  function receive(message) {
    if (message?.ping !== undefined) reach.tell({ t: "pong", k: message.ping });
    else if (message?.ack !== undefined) reach.hear(message);
    if (!message?.o) return;
    if (message.whole ? message.s <= seq : message.s !== seq + 1) {
      if (message.s > seq + 1 && Date.now() - asked > 500) {
        asked = Date.now();
        reach.tell({ t: "resync", page });
      }
      return;
    }
    seq = message.s;
    message.at = performance.now();
    history = message.whole ? [message] : [...history, message];
    for (const view of views) view.show(message);
  }

  return {
    initialize({ model }) {
      reach = new Reach(model);
      model.on("msg:custom", receive);
      const whole = model.get("snapshot");
      if (whole) receive(whole);
      reach.tell({ t: "ready", page });
      const gone = () => reach.tell({ t: "gone" });
      addEventListener("pagehide", gone);
      return () => removeEventListener("pagehide", gone);
    },
    render({ model, el }) {
      reach.model = model; // the one that knows the page's widgets
      const view = new View(model, el, reach);
      views.add(view);
      for (const message of history) view.show(message);
      const unwatch = reach.watch(() => view.tellOf(GONE));
      return () => {
        unwatch();
        views.delete(view);
        view.remove();
      };
    },
  };
};
