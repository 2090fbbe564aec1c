import { type Application, type Start, testHttpCases } from "@sessions/http-cases";
import { describe, test } from "vitest";
import { withSession } from "../src/index.ts";
import { type Fetch, listen, reply } from "./support.ts";

/** As a framework does: it catches what the adapter rejects with. */
const plain =
  (application: Application): Fetch =>
  async (request) => {
    try {
      return await withSession(application.sessions, request, (session) =>
        reply(application, session, request),
      );
    } catch (error) {
      application.onError(error);
      return new Response("error page", { status: 500 });
    }
  };

const start =
  (version: 1 | 2): Start =>
  (application) =>
    listen(plain(application), version);

describe("Request and Response", () => {
  testHttpCases({ test, start: start(1), http2: start(2) });
});
