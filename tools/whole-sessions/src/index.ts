export { endAllOf, type Listed, listSessions } from "./listing.ts";
export { createPrincipals, type PrincipalOf, passportUser, principalText } from "./principals.ts";
export { createWholeSessions, recordId, type Visit, type WholeSessions } from "./whole-sessions.ts";
