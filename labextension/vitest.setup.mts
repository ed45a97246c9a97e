// What JupyterLab's packages need of a browser when they are loaded, and jsdom has not.
class DragEvent extends MouseEvent {}
const matchMedia = () => ({ matches: false, addEventListener: () => {}, addListener: () => {} });
Object.assign(globalThis, { DragEvent });
Object.assign(window, { matchMedia });
