export { isCrossSiteWrite } from "@sessions/core/adapter-tools";
export { type WithSessionOptions, withSession } from "./with-session.ts";
