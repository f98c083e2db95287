/** The import surface of the exporters. */
export type { ExporterStatus } from './exporter.js';
export { Exporters } from './exporters.js';
