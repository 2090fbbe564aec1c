import { fork } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";
import { fileURLToPath, pathToFileURL } from "node:url";
import { startProxy } from "@sessions/conformance/proxy";
import { mysqlDriver } from "@sessions/driver-mysql";
import { withService } from "@sessions/driver-tests";
import { newId } from "@sessions/driver-tests/records";
import mysql2 from "mysql2/promise";
import { describe, expect, onTestFinished, test } from "vitest";

await withService("mysql", async (service) => {
  /** Starts `late-mariadb.ts` with tsx, which the test services have. */
  function start(...args: string[]) {
    const tsx = createRequire(createRequire(import.meta.url).resolve("@sessions/test-services")).resolve(
      "tsx",
    );
    const program = fileURLToPath(new URL("late-mariadb.ts", import.meta.url));
    const child = fork(program, args, {
      execArgv: ["--conditions=@sessions/source", "--import", pathToFileURL(tsx).href],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    onTestFinished(() => void child.kill());
    const { stdout, stderr } = child;
    if (!stdout || !stderr) throw new Error("The process has no output");
    return { child, ended: Promise.all([text(stdout), text(stderr), once(child, "close")]) };
  }

  // While a statement runs, destroy() of mariadb sends KILL on another connection. It fails if the server no longer has the
  // first one, or if it reaches another server, and the client handles that error nowhere.
  describe("a process survives a call that timed out on a connection that its server has closed", () => {
    test.each(["mariadb", "Sequelize", "knex", "knex on a pool of mariadb"])("%s", async (kind) => {
      const admin = mysql2.createPool(service.url);
      const [table, user] = [`t_${newId()}`, newId()];
      const setup = mysqlDriver({ client: admin, table });
      await setup.setup();
      await admin.query("CREATE USER ?", [user]);
      await admin.query(`GRANT SELECT ON ${table} TO ?`, [user]);
      const proxy = await startProxy(service.url.replace(/\/\/[^@]*@/, `//${user}@`));
      onTestFinished(async () => {
        await proxy.close();
        await setup.teardown();
        await admin.query("DROP USER ?", [user]);
        await admin.end();
      });

      const { child, ended } = start(kind, proxy.url, table);
      await once(child, "message");
      proxy.delay(500);
      child.send("go");
      const [rows] = await admin.query<mysql2.RowDataPacket[]>(
        "SELECT id FROM information_schema.processlist WHERE user = ?",
        [user],
      );
      for (const { id } of rows) await admin.query(`KILL ${Number(id)}`);
      await once(child, "message");
      await proxy.restore();
      child.send("go");
      const [printed, errors, [code]] = await ended;
      expect(code, errors).toBe(0);
      // An ORM may print a warning before.
      expect(printed.trim().split("\n").at(-1)).toBe("found, ERR_SESSION_UNAVAILABLE, found");
    });
  });
});
