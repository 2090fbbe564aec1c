import type { TestProxy } from "@sessions/conformance/proxy";
import type { Driver } from "@sessions/core";
import { describe, expect, test } from "vitest";
import { begin, filler } from "./records.ts";

export interface BytesOptions {
  /** Makes a driver behind the proxy. */
  open(): Driver | Promise<Driver>;
  proxy: TestProxy;
  /** The most bytes to the server for one commit. */
  most: number;
}

/** A commit sends what changed and not the whole session, by the proxy's count of all bytes of the client. */
export function testBytes({ open, proxy, most }: BytesOptions): void {
  describe("bytes to the server for changing one value of 20 bytes", () => {
    test.each([1_000, 100_000])(`at most ${most} where the session holds %i`, async (size) => {
      const driver = await open();
      const id = await begin(driver, { fields: filler(size) });
      const change = { fields: new Map([["cart/items", "x".repeat(20)]]) };
      // Do not count what a client does once (a handshake, a script that is sent in full).
      expect(await driver.commit(id, change, Date.now())).toBe("committed");
      const before = proxy.bytes.toServer;
      expect(await driver.commit(id, change, Date.now())).toBe("committed");
      const sent = proxy.bytes.toServer - before;
      console.log(`one value of 20 bytes in a session of ${size}: ${sent} bytes to the server`);
      expect(sent).toBeGreaterThan(20);
      expect(sent).toBeLessThanOrEqual(most);
    });
  });
}
