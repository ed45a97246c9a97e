// The room of documents: runs, traces and tapes open as what they are, by a double click.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ABCWidgetFactory, type DocumentRegistry, DocumentWidget } from '@jupyterlab/docregistry';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import { jsonIcon } from '@jupyterlab/ui-components';

import { DocumentView } from './view';

const TYPES = [
  { name: 'lumos-run', extensions: ['.lumos.json'], label: 'Lumos run' },
  { name: 'lumos-tape', extensions: ['.tape.jsonl'], label: 'Lumos tape' },
];

class ViewFactory extends ABCWidgetFactory<DocumentWidget<DocumentView>> {
  constructor(
    options: DocumentRegistry.IWidgetFactoryOptions,
    private readonly rendermime: IRenderMimeRegistry,
    private readonly trans: TranslationBundle,
  ) {
    super(options);
  }

  protected createNewWidget(context: DocumentRegistry.Context): DocumentWidget<DocumentView> {
    const content = new DocumentView(this.rendermime, this.trans, context);
    return new DocumentWidget({ content, context });
  }
}

export const documentsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'lumos-nb:documents',
  description: 'Opens .lumos.json and .tape.jsonl files as runs, traces and tapes.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, rendermime: IRenderMimeRegistry, translator: ITranslator | null) => {
    const trans = (translator ?? nullTranslator).load('lumos_nb');
    for (const { name, extensions, label } of TYPES) {
      app.docRegistry.addFileType({
        name,
        extensions,
        displayName: label,
        mimeTypes: ['application/json'],
        icon: jsonIcon,
        fileFormat: 'text',
        contentType: 'file',
      });
    }
    const fileTypes = TYPES.map(({ name }) => name);
    const options = { name: 'Lumos', label: trans.__('Lumos'), fileTypes, defaultFor: fileTypes, readOnly: true };
    app.docRegistry.addWidgetFactory(new ViewFactory({ ...options, modelName: 'text' }, rendermime, trans));
  },
};
