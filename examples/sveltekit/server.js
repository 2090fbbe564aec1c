// Runs `node build` on this machine alone, without a proxy in front. Without these settings, adapter-node treats every
// request as https, and SvelteKit refuses the forms of a page on http as those of another site.
import process from "node:process";

process.env.NODE_ENV ??= "production"; // adapter-node does not set it, and it makes our cookie Secure
process.env.HOST ??= "127.0.0.1";
process.env.PROTOCOL_HEADER ??= "x-forwarded-proto";
process.env.SHUTDOWN_TIMEOUT ??= "2"; // seconds; browsers keep unused connections open
const { server } = await import("./build/index.js");
server.prependListener("request", (req) => {
  req.headers["x-forwarded-proto"] ??= "http";
});
