export { NOTE_MS } from "./adopted-note.ts";
export { adoptFromStore } from "./from-store.ts";
export { isNonEmpty, type OldCookieOptions, readOldCookie } from "./old-cookie.ts";
export { enqueue, PATIENCE_MS } from "./queue.ts";
export { type Secret, sign, signedIds, unsign } from "./signed-ids.ts";
export {
  type Done,
  fromCallback,
  getFrom,
  keepFor,
  type OldStore,
  type StoredSession,
  type StoreLike,
} from "./store-calls.ts";
