/** What adapters need beside the manager's own interface. For whoever writes an adapter; applications need nothing of it. */
export { whenPending } from "./session.ts";
