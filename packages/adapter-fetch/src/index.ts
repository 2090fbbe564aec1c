export { withSession } from "./with-session.ts";
