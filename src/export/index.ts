/** The import surface of the exporters. */
export { ELEMENTS } from './elements.js';
