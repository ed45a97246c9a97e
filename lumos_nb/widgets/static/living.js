// Living widgets in what a tool shows: sliders, progress bars, other anywidgets.
//
// The kernel renders their places with a text that stands for them. A place is rendered anew when
// its part changes; the widget that was drawn in it moves along.

class Living {
  constructor(manager) {
    this.manager = manager;
    this.hosts = new WeakMap(); // part -> {id and turn: the node it is drawn in}
    this.views = [];
  }

  fill(part) {
    const places = part.querySelectorAll("[data-widget]");
    if (!places.length || !this.manager) return;
    if (!this.hosts.has(part)) this.hosts.set(part, {});
    const hosts = this.hosts.get(part);
    const turns = {};
    for (const place of places) {
      const id = place.dataset.widget;
      const key = `${id} ${(turns[id] = (turns[id] ?? 0) + 1)}`;
      if (!hosts[key]) {
        hosts[key] = element("div", "lumos-widget");
        hosts[key].append(...place.childNodes);
        this.draw(id, hosts[key]);
      }
      place.replaceChildren(hosts[key]);
    }
  }

  async draw(id, host) {
    try {
      const model = await this.manager.get_model(id);
      const view = await this.manager.create_view(model, {});
      this.views.push(view);
      host.replaceChildren();
      const widget = view.luminoWidget;
      if (widget?.constructor.attach && host.isConnected) widget.constructor.attach(widget, host);
      else {
        host.append(view.el);
        view.trigger("displayed");
      }
    } catch (error) {
      console.info("A widget of a tool is not alive; its text is shown.", error);
    }
  }

  remove() {
    for (const view of this.views) view.remove();
    this.views = [];
  }
}
