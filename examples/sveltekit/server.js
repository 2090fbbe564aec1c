// `node build`, on this machine alone and without a proxy before it: adapter-node takes what comes for https otherwise,
// and SvelteKit then refuses the forms of a page on http, as those of another site.
import process from "node:process";

process.env.NODE_ENV ??= "production"; // nobody else says so, and our cookie is Secure by it
process.env.HOST ??= "127.0.0.1";
process.env.PROTOCOL_HEADER ??= "x-forwarded-proto";
process.env.SHUTDOWN_TIMEOUT ??= "2"; // seconds; browsers keep connections open that they never used
const { server } = await import("./build/index.js");
server.prependListener("request", (req) => {
  req.headers["x-forwarded-proto"] ??= "http";
});
