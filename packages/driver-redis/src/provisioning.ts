import { randomBytes } from "node:crypto";
import { type ProvisionedDriver, SessionSetupError } from "@sessions/core";
import type { Backend } from "./indexes.ts";
import { scanPage } from "./scan.ts";
import { COMMIT, CREATE, DESTROY, INDEX, TEARDOWN, UNINDEX } from "./scripts.ts";

/** Redis needs nothing made before; what can be wrong with it is how it is set up, and what its user may do. */
export function createProvisioning({
  within,
  connection,
  keys,
  run,
  load,
}: Backend): Pick<ProvisionedDriver, "setup" | "check" | "teardown"> {
  const { layout } = keys;

  const FOREIGN = `The key ${layout} is not the driver's: another application, or another version of this package, uses the prefix; choose another in the option prefix`;

  /** What the layout's key says: empty where it is no text, `undefined` where it is missing. */
  async function readLayout(): Promise<string | undefined> {
    const text = await within((limits) =>
      connection.send(layout, ["GET", layout], limits).catch((error: unknown) => {
        if (error instanceof Error && error.message.startsWith("WRONGTYPE")) return "";
        throw error;
      }),
    );
    return text === null ? undefined : String(text);
  }

  /** The driver's own writes, to keys that nobody else sees; every command in them is asked for its permission. */
  async function tryToWrite(): Promise<string[]> {
    const id = randomBytes(16).toString("hex");
    const [key, index] = [keys.record(id), keys.index(`check ${id}`)];
    try {
      await run(CREATE, key, ["0", "2", "1000", "check", "check/field", ""]);
      // A field set, one deleted, the principal cleared, the version and the expiry moved.
      await run(COMMIT, key, ["0", "1", "2", "1000", "-", "1", "1", "2", "check/x", "", "check/field"]);
      await load(id);
      await run(DESTROY, key, ["0"]);
      await run(INDEX, index, [id, "-1000", "1000", "0"]);
      await within((limits) => connection.send(index, ["ZRANGE", index, "0", "-1"], limits));
      await run(UNINDEX, index, [id]);
      await within((limits) => scanPage(connection, limits, keys.pattern, 1));
      return [];
    } catch (error) {
      const { cause } = error instanceof Error ? error : { cause: undefined };
      const reply = cause instanceof Error ? cause.message : "";
      // An outage is no finding.
      if (!/^(NOPERM|READONLY|OOM|MISCONF|ERR)/.test(reply)) throw error;
      return [
        /NOPERM|permission|can't run this command/.test(reply)
          ? `The user has no permission to write: let it run the commands that the README lists, on keys that begin with the prefix (${reply})`
          : `Writing fails: ${reply}`,
      ];
    }
  }

  return {
    async setup() {
      const set = ["SET", layout, "1", "NX"];
      const made = await within((limits) => connection.send(layout, set, limits));
      if (made === null && (await readLayout()) !== "1") throw new SessionSetupError(`redis: ${FOREIGN}`);
    },

    async check() {
      const found = await tryToWrite();
      const text = await readLayout();
      if (text === undefined)
        found.push(`The key ${layout} is missing: run setup(), and see what removed it`);
      else if (text !== "1") found.push(FOREIGN);
      for (const { address, send } of await within(() => connection.masters())) {
        const info = String(await within((limits) => send(["INFO", "memory"], limits)).catch(() => ""));
        const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? "noeviction";
        if (policy !== "noeviction" && !/^maxmemory:0\s/m.test(info))
          found.push(
            `maxmemory-policy of the ${address} is ${policy}: short of memory, Redis removes live sessions; set it to noeviction`,
          );
      }
      return found;
    },

    async teardown() {
      let cursor: string | undefined;
      do {
        const page = await within((limits) => scanPage(connection, limits, keys.pattern, 1000, cursor));
        await Promise.all(
          page.keys.map(async (key) => {
            const kind = keys.kindOf(key);
            if (kind !== undefined) await run(TEARDOWN, key, [kind]);
          }),
        );
        cursor = page.cursor;
      } while (cursor !== undefined);
    },
  };
}
