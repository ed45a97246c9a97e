// The height of a run that is written: it does not shrink under who reads, and its end stays in view.

class Height {
  constructor(root, body) {
    this.root = root;
    this.body = body;
    this.letShrink();
  }

  letShrink() {
    this.least = 0;
    this.body.style.minHeight = "";
  }

  // Runs a change, which returns whether more may come, and follows the end if the end was in view.
  follow(change) {
    const before = this.root.getBoundingClientRect();
    const scroller = (this.scroller ??= scrollerOf(this.root));
    const edge = scroller?.getBoundingClientRect().bottom ?? innerHeight;
    const inView = before.bottom <= edge + 4 && before.bottom > 0;
    const isRunning = change();
    this.least = Math.max(this.least, this.body.offsetHeight);
    this.body.style.minHeight = isRunning ? `${this.least}px` : "";
    const beyond = this.root.getBoundingClientRect().bottom - edge;
    if (inView && beyond > 0 && scroller) scroller.scrollTop += beyond + 8;
  }
}

function scrollerOf(node) {
  for (let n = node.parentElement; n; n = n.parentElement)
    if (/auto|scroll/.test(getComputedStyle(n).overflowY) && n.scrollHeight > n.clientHeight) return n;
  return undefined;
}
