/** Keeps sessions in files. */
export { type FileDriverOptions, fileDriver } from "./driver.ts";
export { type FileUrlOptions, fromUrl } from "./from-url.ts";
