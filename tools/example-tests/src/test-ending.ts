import { once } from "node:events";
import { connect } from "node:net";
import type { ExampleOptions } from "./test-example.ts";

/**
 * Registers a test for examples that own their server. Browsers open connections ahead, and Node's `server.close()`
 * waits for those that were never used.
 */
export function testEnding({ test, start }: ExampleOptions): void {
  test("SIGTERM ends it, though a connection is open that was never used", async () => {
    const program = await start();
    const socket = connect(Number(new URL(program.url).port), "127.0.0.1");
    try {
      await once(socket, "connect");
      // After a response on a later connection, the program has this one too.
      await fetch(program.url);
    } finally {
      await program.stop();
      socket.destroy();
    }
  });
}
