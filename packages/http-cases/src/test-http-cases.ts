import { type Connect, connectHttp1, connectHttp2 } from "./client.ts";
import { GROUPS } from "./groups.ts";
import { type Case, runCase } from "./kit.ts";
import type { Start, TestFunction } from "./target.ts";
import { leftOut, over2 } from "./titles.ts";

/** Options of {@link testHttpCases}: how one adapter runs the cases. */
export interface HttpCases {
  /** The runner's `test`. Each case is one test. */
  readonly test: TestFunction;
  /** Starts an application behind the adapter. */
  readonly start: Start;
  /** The same over HTTP/2 without TLS: every case runs a second time. @default none */
  readonly http2?: Start;
  /**
   * Whether `start` mounts the application's `listener` by {@link listenTo}. The framework must have a response of
   * `node:http`. Otherwise the cases that need one are left out.
   * @default false
   */
  readonly listens?: boolean;
  /** Opens connections to the server, for a runtime whose `node:http` cannot. @default HTTP/1.1 by `node:http` */
  readonly connect?: Connect;
  /**
   * Cases that cannot hold for this adapter, by title. Each is skipped with its reason. A title that begins with
   * `HTTP/2: ` excludes the case only there.
   * @default none
   */
  readonly exclude?: readonly { readonly title: string; readonly reason: string }[];
}

/**
 * Makes one test for each case, and a second one with `http2`.
 *
 * @throws TypeError if `exclude` has a title that is not a case.
 *
 * @example
 * import { once } from "node:events";
 * import http from "node:http";
 * import { test } from "node:test";
 * import { testHttpCases } from "@sessions/http-cases";
 *
 * testHttpCases({
 *   test,
 *   async start({ sessions, handler, onError }) {
 *     const server = http.createServer(async (req, res) => {
 *       try {
 *         const session = await sessions.open(req.headers.cookie);
 *         const { method = "GET", url = "/" } = req;
 *         const { status = 200, body } = await handler({ session, method, url });
 *         const { setCookie } = await session.commit({ seal: true });
 *         if (setCookie !== undefined) res.setHeader("Set-Cookie", setCookie);
 *         res.statusCode = status;
 *         res.end(body); // a whole adapter also sends headers, redirects and streams
 *       } catch (error) {
 *         onError(error);
 *         res.writeHead(500).end();
 *       }
 *     });
 *     await once(server.listen(0, "127.0.0.1"), "listening");
 *     const address = server.address();
 *     const port = typeof address === "object" && address ? address.port : 0;
 *     return { port, close: () => server.close() };
 *   },
 * });
 */
export function testHttpCases(options: HttpCases): void {
  const { test, start, http2, listens = false, connect = connectHttp1, exclude = [] } = options;
  const cases = GROUPS.flatMap((group) => group.cases);
  for (const { title } of exclude)
    if (!cases.some((it) => [it.title, over2(it.title)].includes(title)))
      throw new TypeError(`testHttpCases: no case "${title}". Take the title from docs/http-cases.md`);

  function add(title: string, it: Case, run: () => Promise<void>): void {
    const reason =
      it.listens && !listens
        ? "there is no response of node:http that middlewares could listen to"
        : exclude.find((one) => one.title === title || one.title === it.title)?.reason;
    if (reason !== undefined) test.skip(leftOut(title, reason), run);
    else test(title, run);
  }
  for (const it of cases) {
    add(it.title, it, () => runCase(it, start, connect));
    if (http2) add(over2(it.title), it, () => runCase(it, http2, connectHttp2));
  }
}
