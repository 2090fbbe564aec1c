import type { IncomingMessage, ServerResponse } from "node:http";
import http2 from "node:http2";
import { expect, onTestFinished, test } from "vitest";
import {
  certificate,
  inBrowser,
  listenTo,
  logIn,
  makeManager,
  OURS,
  press,
  type Seen,
  shopListener,
  shown,
  visitor,
} from "./support.ts";

inBrowser("over HTTP/2", () => {
  test("a POST that logs in redirects to a page that is logged in, and one that logs out to one that is not", async () => {
    const { sessions } = makeManager(true, {});
    const requests: Seen[] = [];
    const listener = shopListener(sessions, requests);
    const server = http2.createSecureServer({ ...certificate(), allowHTTP1: true }, (req, res) =>
      // They have the members that the adapter uses, but share no type with HTTP/1.
      listener(
        req as unknown as IncomingMessage,
        res as unknown as ServerResponse & { req: IncomingMessage },
      ),
    );
    const port = await listenTo(server);
    const page = await visitor();
    onTestFinished(async () => {
      await page.context().close();
      server.close();
    });
    await logIn(page, { port, url: (host, path = "/") => `https://${host}:${port}${path}` });
    const protocol = "performance.getEntriesByType('navigation')[0].nextHopProtocol";
    expect([await shown(page), await page.evaluate(protocol)]).toEqual(["ada, 1", "h2"]);
    expect(await page.context().cookies()).toMatchObject([{ name: "__Host-sid", domain: OURS }]);
    await press(page, "/logout");
    expect([await shown(page), await page.context().cookies()]).toEqual(["nobody, 0", []]);
  });
});
