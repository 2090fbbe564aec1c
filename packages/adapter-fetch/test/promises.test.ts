import { once } from "node:events";
import http2 from "node:http2";
import { type ServerType, serve } from "@hono/node-server";
import { type Target, testAdapter } from "@sessions/adapter-conformance";
import { describe, test } from "vitest";
import { abilities, applications, type Build } from "./applications.ts";

const start =
  (build: Build, version: 1 | 2): Target["start"] =>
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
      url: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`,
      close() {
        for (const connection of connections) connection.destroy();
        server.close();
      },
    };
  };

describe.each(Object.entries(applications))("%s on Node", (name, build) => {
  testAdapter({ test, target: { name, abilities, start: start(build, 1) } });
});

describe.each(Object.entries(applications))("%s on Node over HTTP/2", (name, build) => {
  testAdapter({ test, target: { name, abilities, http2: true, start: start(build, 2) } });
});
