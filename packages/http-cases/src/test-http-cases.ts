import { type Connect, connectHttp1, connectHttp2 } from "./client.ts";
import { GROUPS } from "./groups.ts";
import { type Case, runCase } from "./kit.ts";
import type { Start, TestFunction } from "./target.ts";
import { leftOut, over2 } from "./titles.ts";

/** How one adapter runs the list. */
export interface HttpCases {
  readonly test: TestFunction;
  readonly start: Start;
  /** The same over HTTP/2 without TLS, where the adapter can: every case runs again. */
  readonly http2?: Start;
  /** `start` mounts the application's `listener`: the framework has a response of Node's, which middlewares listen to. */
  readonly listens?: boolean;
  /** How clients reach what `start` started, in a runtime whose `node:http` cannot. */
  readonly connect?: Connect;
  /** Cases, by title, that cannot hold here, with `HTTP/2: ` before it only there; skipped with their reason. */
  readonly exclude?: readonly { readonly title: string; readonly reason: string }[];
}

/** Makes a test of each thing that every adapter must do. An exclusion of a case that there is not throws. */
export function testHttpCases(options: HttpCases): void {
  const { test, start, http2, listens = false, connect = connectHttp1, exclude = [] } = options;
  const cases = GROUPS.flatMap((group) => group.cases);
  for (const { title } of exclude)
    if (!cases.some((it) => [it.title, over2(it.title)].includes(title)))
      throw new TypeError(`There is no case "${title}"`);

  function add(title: string, it: Case, run: () => Promise<void>): void {
    const reason =
      it.listens && !listens
        ? "middlewares listen to no response of Node's here"
        : exclude.find((one) => one.title === title || one.title === it.title)?.reason;
    if (reason !== undefined) test.skip(leftOut(title, reason), run);
    else test(title, run);
  }
  for (const it of cases) {
    add(it.title, it, () => runCase(it, start, connect));
    if (http2) add(over2(it.title), it, () => runCase(it, http2, connectHttp2));
  }
}
