import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  createSessionManager,
  DriverUnavailableError,
  type ListingDriver,
  type SessionManager,
  type SessionManagerOptions,
} from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import { onTestFinished } from "vitest";
import type { Pay } from "../src/shop.ts";
import { createSite } from "../src/site.ts";
import { Visitor } from "./visitor.ts";

/** A memory driver whose backend can be unplugged, and which writes down what reaches it. */
interface Backend extends ListingDriver {
  down: boolean;
  calls: string[];
  /**
   * The next so many reads are answered together, once all are there: their requests overlap for certain, and begin
   * from the same state. Memory is so fast that they would follow one another.
   */
  gather(reads: number): void;
}

function backend(): Backend {
  const memory = memoryDriver();
  const gate = new EventEmitter().setMaxListeners(0);
  let awaited = 0;
  async function reach<T>(call: string, answer: () => Promise<T>): Promise<T> {
    self.calls.push(call);
    if (self.down) throw new DriverUnavailableError("The backend is unplugged");
    return answer();
  }
  const self: Backend = {
    name: "memory with a plug",
    down: false,
    calls: [],
    create: (...args) => reach("create", () => memory.create(...args)),
    gather(reads) {
      awaited = reads;
    },
    load: (...args) =>
      reach("load", async () => {
        const record = await memory.load(...args);
        if (awaited > 0) {
          const open = once(gate, "open");
          if (--awaited === 0) gate.emit("open");
          await open;
        }
        return record;
      }),
    commit: (...args) => reach("commit", () => memory.commit(...args)),
    destroy: (...args) => reach("destroy", () => memory.destroy(...args)),
    sweep: (...args) => reach("sweep", () => memory.sweep(...args)),
    list: (...args) => reach("list", () => memory.list(...args)),
  };
  return self;
}

export interface Site {
  readonly url: string;
  readonly sessions: SessionManager;
  readonly backend: Backend;
  visitor(): Visitor;
}

/** The site on a free port, until the test is over. */
export async function startSite(options: SessionManagerOptions & { pay?: Pay } = {}): Promise<Site> {
  const { pay, ...managerOptions } = options;
  const driver = backend();
  const sessions = createSessionManager({ driver, ...managerOptions });
  const server = createServer(createSite(sessions, pay ? { pay } : {}));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await sessions.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, sessions, backend: driver, visitor: () => new Visitor(url) };
}
