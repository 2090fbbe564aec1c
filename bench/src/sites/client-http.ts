import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import process from "node:process";
import { createPool, type RowDataPacket } from "mysql2/promise";
import { createClient } from "redis";
import type { Keeping } from "../sites.ts";
import { answer, noVisit, type OpenSite, thing } from "./routes.ts";

type Fields = Record<string, string>;

/** A backend through its client alone: the cost of a site that reads and writes without a library. */
interface Client {
  fill(id: string, fields: Fields): Promise<unknown>;
  load(id: string): Promise<Fields>;
  commit(id: string, field: string, text: string): Promise<unknown>;
  close(): Promise<unknown>;
}

const name = `client_${process.pid}`;

async function openRedis(url: string): Promise<Client> {
  const client = createClient({ url });
  await client.connect();
  // HSET alone would bring back a record that has ended.
  const sha = await client.scriptLoad(
    "return redis.call('EXISTS', KEYS[1]) == 1 and redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])",
  );
  const keyOf = (id: string): string => `${name}:${id}`;
  const keys: string[] = [];
  return {
    async fill(id, fields) {
      keys.push(keyOf(id));
      await client.hSet(keyOf(id), fields);
    },
    load: async (id) => ({ ...(await client.hGetAll(keyOf(id))) }),
    commit: (id, field, text) => client.evalSha(sha, { keys: [keyOf(id)], arguments: [field, text] }),
    async close() {
      await client.unlink(keys);
      await client.close();
    },
  };
}

async function openMysql(url: string): Promise<Client> {
  const pool = createPool(url);
  await pool.query(`CREATE TABLE ${name} (id VARBINARY(255) PRIMARY KEY, fields JSON NOT NULL)`);
  return {
    fill: (id, fields) => pool.query(`INSERT INTO ${name} VALUES (?, ?)`, [id, JSON.stringify(fields)]),
    async load(id) {
      const [[row]] = await pool.query<RowDataPacket[]>(`SELECT fields FROM ${name} WHERE id = ?`, [id]);
      const fields: unknown = row?.["fields"];
      // From MySQL the client gets parsed JSON, and from MariaDB a text.
      return { ...(typeof fields === "string" ? JSON.parse(fields) : Object(fields)) };
    },
    commit: (id, field, text) =>
      pool.query(`UPDATE ${name} SET fields = JSON_SET(fields, ?, ?) WHERE id = ?`, [`$.${field}`, text, id]),
    async close() {
      await pool.query(`DROP TABLE ${name}`);
      await pool.end();
    },
  };
}

const openers: Partial<Record<Keeping, (url: string) => Promise<Client>>> = {
  redis: openRedis,
  mysql: openMysql,
};

export const open: OpenSite = async ({ keeping, url }) => {
  const client = await openers[keeping]?.(url);
  if (!client) throw new Error(`No client for ${keeping}`);
  let writes = 0;

  async function respond(path: string, id: string): Promise<string> {
    if (path.startsWith("/none")) return answer(path, noVisit);
    const fields = await client?.load(id);
    if (path.startsWith("/write")) await client?.commit(id, "key", JSON.stringify(`value ${++writes}`));
    return String(JSON.parse(fields?.["user"] ?? "null"));
  }

  const server = createServer(async (req, res) => {
    try {
      const { pathname, searchParams } = new URL(req.url ?? "", "http://localhost");
      if (pathname === "/fill") {
        const id = randomBytes(16).toString("hex");
        const fields: Fields = { user: JSON.stringify(searchParams.get("user")) };
        for (let i = 0; i < Number(searchParams.get("kilobytes")); i++)
          fields[`thing${i}`] = JSON.stringify(thing(i));
        await client.fill(id, fields);
        res.setHeader("Set-Cookie", `id=${id}`);
        res.end("filled");
      } else res.end(await respond(req.url ?? "", req.headers.cookie?.slice("id=".length) ?? ""));
    } catch (error) {
      console.error(error);
      res.writeHead(500).end();
    }
  });
  return { server, close: () => client.close() };
};
