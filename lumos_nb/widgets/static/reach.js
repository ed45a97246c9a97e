// What a person asks of the kernel, and whether it was heard.
//
// Every request has a number, and the kernel acknowledges it at once, whatever the run does. The
// form of a kernel that was restarted looks alive: only the missing answer tells.

const NO_ANSWER = "The kernel does not answer. If it was restarted, run `%agent resume`.";
const GONE = "The kernel was restarted or has ended. Run `%agent resume` to go on.";
const ANSWER_MS = 2000;

class Reach {
  constructor(model) {
    this.model = model;
    this.waiting = new Map();
    this.isGone = false;
    this.n = Math.floor(Math.random() * 2 ** 48); // other tabs hear the same acknowledgements
  }

  tell(message) {
    try {
      this.model.send(message);
      return true;
    } catch {
      return false; // its channel is closed
    }
  }

  // Resolves with what is wrong, in words, or with "" when the kernel has taken the request.
  ask(action) {
    if (this.isGone) return Promise.resolve(GONE);
    const n = ++this.n;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.hear({ ack: n, problem: NO_ANSWER }), ANSWER_MS);
      this.waiting.set(n, (problem) => {
        clearTimeout(timer);
        resolve(problem);
      });
      if (!this.tell({ ...action, n })) this.hear({ ack: n, problem: NO_ANSWER });
    });
  }

  hear({ ack, problem }) {
    const settle = this.waiting.get(ack);
    this.waiting.delete(ack);
    settle?.(String(problem ?? ""));
  }

  // Calls back when the kernel that has the run is gone, where the page can tell; returns how to end that.
  watch(onGone) {
    const changed = this.model.widget_manager?.kernel?.statusChanged;
    const look = (_, status) => {
      if (!/restarting|terminating|dead/.test(status)) return;
      this.isGone = true;
      onGone();
    };
    changed?.connect?.(look);
    return () => changed?.disconnect?.(look);
  }

  // Interrupts the kernel as the notebook's own button does, where the page has a way to it.
  async interrupt() {
    if (this.isGone) return; // it would hit what the new kernel does
    try {
      await this.model.widget_manager?.kernel?.interrupt?.();
    } catch (error) {
      console.warn("The kernel could not be interrupted.", error);
    }
  }
}
