/** A process that writes sessions to a file, `writer.ts url task name [id...]`, and prints each acknowledged write. */
import process from "node:process";
import { begin, newId } from "@sessions/driver-tests/records";
import { fromUrl } from "../../src/index.ts";

const [url = "", task = "", name = "", ...ids] = process.argv.slice(2);
const driver = await fromUrl(url, { timeout: "30s" });

/** Prints a line, and waits until it is written: the process may be killed at any moment. */
const say = (...words: (string | number)[]): Promise<void> =>
  new Promise((resolve) => {
    process.stdout.write(`${words.join(" ")}\n`, () => resolve());
  });

const tasks: Record<string, () => Promise<void>> = {
  /** Makes the table, and a session in it. */
  async setup() {
    await driver.setup();
    await say("found", (await driver.check()).length);
    await say("begun", await begin(driver));
  },

  /** Writes 150 fields into each record, one commit each. */
  async fields() {
    for (const id of ids)
      for (let i = 0; i < 150; i++)
        await say(await driver.commit(id, { fields: new Map([[`${name}/${i}`, name]]) }, Date.now()));
  },

  /** Tries one compare-and-set on each record. */
  async compare() {
    for (const id of ids) {
      const change = { fields: new Map([["a/winner", name]]), ifVersion: 1 };
      await say(id, await driver.commit(id, change, Date.now()));
    }
  },

  /** Commits two fields and a principal at a time until it is killed, and creates and destroys records in between. */
  async forever() {
    const id = await begin(driver);
    await say("begun", id);
    for (let i = 1; ; i++) {
      const fields = new Map([`a/x`, `a/y`].map((field) => [field, `${i} ${"-".repeat(i % 5_000)}`]));
      await driver.commit(id, { fields, principal: `user ${i}` }, Date.now());
      await say("committed", i);
      if (i % 5 !== 0) continue;
      const other = newId();
      await driver.create(other, { expiresAt: Date.now() + 3_600_000, fields }, Date.now());
      await say("created", other);
      if (i % 10 !== 0) continue;
      await driver.destroy(other, Date.now());
      await say("destroyed", other);
    }
  },
};

// Each task begins with the file open, except the one that makes it.
if (task !== "setup") await driver.load(newId());
await say("ready");
await new Promise((resolve) => process.stdin.once("data", resolve));
process.stdin.pause();
await tasks[task]?.();
await driver.close();
