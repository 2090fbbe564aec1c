// How TypeScript writes CommonJS with `import`.
import session, { sessionOf } from "@sessions/express-session";

export const middleware = session({ secret: "secret" });
export const read = sessionOf;
