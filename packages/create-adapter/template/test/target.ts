import type { Target } from "@sessions/adapter-conformance";
import { __camel__Sessions } from "../src/index.ts";
import { notWritten } from "../src/not-written.ts";

/** What the kit tests, in `npm test` and in `npm run conformance`: an application of __title__ behind the adapter. */
export const target: Target = {
  name: "__title__",
  // What this target can do. Add "streams" once it sends bodies that are streams, and "touch" and "vary" once it passes
  // `options` to the adapter. "node" is for middlewares on a response of node:http, which wrap one another.
  abilities: [],
  async start({ sessions, options, handler, onError }) {
    const adapter = __camel__Sessions(sessions, options);
    // 1. Make an application of __title__ with the adapter, and one route for every method and path.
    // 2. The route awaits handler({ session, method, url }), and sends the reply by the means of the framework:
    //    { status = 200, headers = {}, body, redirect }. If the handler rejects, leave the error to the framework.
    // 3. Pass each error that reaches the framework's error handling to onError(error), before the error page.
    // 4. Listen on port 0 of 127.0.0.1.
    // return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
    throw notWritten(
      "start",
      "start an application of __title__ with the adapter on a free port, and return { url, close }",
      "H1 to H14",
    );
  },
  // The promises or clauses that this adapter cannot keep, each with its reason. Repeat them in the README:
  // exclude: [{ rule: "H7.7", reason: "the framework ends such a stream like a complete one" }],
};
