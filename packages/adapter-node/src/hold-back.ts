// For libraries that are built on this package, such as `@sessions/express-session`. It declares no types of `req`.
// Applications do not need it.
export type { Sealed } from "./hold-back/handlers.ts";
export { type Committing, holdBackFor } from "./hold-back/hold-back.ts";
