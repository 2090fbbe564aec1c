import type { ServiceName } from "@sessions/test-services/service";
import { createConnection } from "mysql2/promise";
import { createClient } from "redis";

/** A server's own counters, under its own names: commands, and bytes. */
export interface Counters {
  read(): Promise<ReadonlyMap<string, number>>;
  close(): Promise<unknown>;
}

/** Opens the counters of a server that has some, on a separate connection. */
export async function openCounters(
  name: ServiceName | undefined,
  url: string,
): Promise<Counters | undefined> {
  if (name === "redis") {
    const client = createClient({ url });
    await client.connect();
    return {
      async read() {
        const text = `${await client.info("stats")}${await client.info("commandstats")}`;
        const commands = [...text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
        const bytes = [...text.matchAll(/^total_net_(input|output)_bytes:(\d+)/gm)];
        return new Map([
          ...commands.map(([, command = "", calls]) => [command.toUpperCase(), Number(calls)] as const),
          ...bytes.map(([, way = "", count]) => [`${way} bytes`, Number(count)] as const),
        ]);
      },
      close: () => client.close(),
    };
  }
  if (name === "mysql") {
    const connection = await createConnection(url);
    return {
      async read() {
        const [rows] = await connection.query("SHOW GLOBAL STATUS");
        if (!Array.isArray(rows)) throw new Error("SHOW GLOBAL STATUS returned no rows");
        const counts = rows.map((row): [string, number] => {
          const { Variable_name, Value } = Object(row);
          return [String(Variable_name).toLowerCase(), Number(Value)];
        });
        return new Map(
          counts.flatMap(([variable, value]): [string, number][] => {
            if (variable === "bytes_received") return [["input bytes", value]];
            if (variable === "bytes_sent") return [["output bytes", value]];
            // For a prepared statement the server counts two commands. Keep the second, which names the kind of statement.
            const command =
              /^com_(select|insert|update|delete|replace|begin|commit|rollback|stmt_prepare)$/.exec(variable);
            return command?.[1] === undefined ? [] : [[command[1].toUpperCase(), value]];
          }),
        );
      },
      close: () => connection.end(),
    };
  }
  return undefined;
}

/** Returns the server's counts for some work, without the counts of the questions themselves. */
export async function countDuring(
  counters: Counters | undefined,
  work: () => Promise<unknown>,
): Promise<Map<string, number>> {
  if (!counters) {
    await work();
    return new Map();
  }
  await counters.read();
  const first = await counters.read();
  const second = await counters.read();
  await work();
  const third = await counters.read();
  return new Map(
    [...third].map(([name, count]) => {
      const before = second.get(name) ?? 0;
      return [name, count - before - (before - (first.get(name) ?? 0))];
    }),
  );
}
