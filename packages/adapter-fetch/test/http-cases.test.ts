import { once } from "node:events";
import http2 from "node:http2";
import { type ServerType, serve } from "@hono/node-server";
import { type Start, testHttpCases } from "@sessions/http-cases";
import { describe, test } from "vitest";
import { applications, type Build } from "./applications.ts";

const start =
  (build: Build, version: 1 | 2): Start =>
  async (application) => {
    const connections = new Set<{ destroy(): unknown }>();
    const server: ServerType = serve({
      fetch: build(application),
      port: 0,
      hostname: "127.0.0.1",
      ...(version === 2 && { createServer: http2.createServer }),
    });
    server.on("connection", (socket) => connections.add(socket));
    await once(server, "listening");
    const address = server.address();
    return {
      port: typeof address === "object" && address ? address.port : 0,
      close() {
        for (const connection of connections) connection.destroy();
        server.close();
      },
    };
  };

describe.each(Object.entries(applications))("%s on Node", (_, build) => {
  testHttpCases({ test, start: start(build, 1), http2: start(build, 2) });
});
