export { type WithSessionOptions, withSession } from "./with-session.ts";
