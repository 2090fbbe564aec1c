import { Buffer } from "node:buffer";
import http from "node:http";
import https from "node:https";

/** The protocol that a test's request comes by. */
export type Protocol = "http" | "https";

/** A key that both ends share, for TLS without a certificate. */
const psk = Buffer.alloc(16, 1);
const SHARED = { ciphers: "PSK", maxVersion: "TLSv1.2" } as const;

/** A server for {@link askOver}, not yet listening. Its socket is encrypted where the protocol is `"https"`. */
export const createServerOver = (
  protocol: Protocol,
  handler: http.RequestListener,
): http.Server | https.Server =>
  protocol === "https"
    ? https.createServer({ ...SHARED, pskCallback: () => psk }, handler)
    : http.createServer(handler);

/** Sends `GET /` to a server of {@link createServerOver}, as curl does: without `Sec-Fetch-Site`. */
export function askOver(
  protocol: Protocol,
  port: number,
  headers: http.OutgoingHttpHeaders,
): Promise<{ readonly status: number | undefined; readonly cookies: readonly string[] }> {
  const to = { host: "127.0.0.1", port, headers: { host: "shop.example", ...headers } };
  const agent = new https.Agent({
    ...SHARED,
    pskCallback: () => ({ psk, identity: "test" }),
    checkServerIdentity: () => undefined,
  });
  return new Promise((resolve, reject) => {
    const request = protocol === "https" ? https.request({ ...to, agent }) : http.request(to);
    request.on("error", reject);
    request.on("response", (response) => {
      response.resume();
      const { statusCode: status, headers } = response;
      response.on("end", () => resolve({ status, cookies: headers["set-cookie"] ?? [] }));
    });
    request.end();
  });
}
