/** React Router's session storage over a session manager, and its middleware. */
export {
  createSessionStorage,
  type ManagedSessionStorage,
  type SessionStorageOptions,
} from "./session-storage.ts";
export { sessionOf } from "./wrapped-session.ts";
