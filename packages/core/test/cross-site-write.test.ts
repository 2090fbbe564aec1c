import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { isCrossSiteWrite, type RequestHead } from "../src/adapter-tools.ts";

function nodeRequest(method: string, site: string | undefined): RequestHead {
  const req = new IncomingMessage(new Socket());
  req.method = method;
  if (site !== undefined) req.headers["sec-fetch-site"] = site;
  return req;
}

const fetchRequest = (method: string, site: string | undefined): RequestHead =>
  new Request("http://localhost/", { method, headers: site === undefined ? {} : { "Sec-Fetch-Site": site } });

describe.each([
  ["node:http", nodeRequest],
  ["the Fetch API", fetchRequest],
] as const)("a request of %s", (_, request) => {
  test.each(["POST", "PUT", "PATCH", "DELETE"])("that another site's page sends is a write: %s", (method) => {
    expect(isCrossSiteWrite(request(method, "cross-site"))).toBe(true);
  });

  test.each(["GET", "HEAD", "OPTIONS"])("that another site's page sends is none: %s", (method) => {
    expect(isCrossSiteWrite(request(method, "cross-site"))).toBe(false);
  });

  test.each(["same-origin", "same-site", "none", undefined])(
    "that comes from here is let through: %s",
    (site) => {
      expect(isCrossSiteWrite(request("POST", site))).toBe(false);
    },
  );
});
