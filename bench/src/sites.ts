import type { ServiceName } from "@sessions/test-services/service";

/** Where a site keeps its sessions. With `cookie` the client holds them, and `none` is a site without sessions. */
export type Keeping = ServiceName | "memory" | "cookie" | "none";

/** The framework of a site. */
export type Framework = "node:http" | "express" | "fastify" | "hono";

/** One application in its own process: a module of `sites/`, and where it keeps its sessions. */
export interface Site {
  readonly module: string;
  readonly framework: Framework;
  readonly keeping: Keeping;
  /** The name for a reader: `"express-session + connect-redis"`. */
  readonly label: string;
  /** Whether the site uses this library. The others use what people use today. */
  readonly ours: boolean;
}

const MODULES: Readonly<Record<Framework, string>> = {
  "node:http": "http",
  express: "express",
  fastify: "fastify",
  hono: "hono",
};

/** A site with this library. */
export function ours(framework: Framework, keeping: Keeping): Site {
  const label = `sessions (${framework}, ${keeping})`;
  return { module: `ours-${MODULES[framework]}`, framework, keeping, label, ours: true };
}

/** A site on express-session's API, with the import of the drop-in. */
export function dropIn(keeping: Keeping): Site {
  const label = `@sessions/express-session (express, ${keeping})`;
  return { module: "drop-in-express", framework: "express", keeping, label, ours: true };
}

/** The same site without sessions: the cost of a request without any session library. */
export function bare(framework: Framework): Site {
  const label = `no sessions (${framework})`;
  return { module: `bare-${MODULES[framework]}`, framework, keeping: "none", label, ours: false };
}

/** A site with only a backend's client, which does by hand what a session needs. It is the limit. */
export function client(keeping: Keeping): Site {
  const label = `the bare client (node:http, ${keeping})`;
  return { module: "client-http", framework: "node:http", keeping, label, ours: false };
}

function peer(module: string, framework: Framework, keeping: Keeping, label: string): Site {
  return { module, framework, keeping, label, ours: false };
}

/** The sites of the peers, with the settings that their own documentation shows. */
export const peers: readonly Site[] = [
  peer("express-session", "express", "memory", "express-session + MemoryStore"),
  peer("express-session", "express", "redis", "express-session + connect-redis"),
  peer("express-session", "express", "mysql", "express-session + express-mysql-session"),
  peer("express-session", "express", "mongodb", "express-session + connect-mongo"),
  peer("express-session", "express", "dynamodb", "express-session + connect-dynamodb"),
  peer("fastify-session", "fastify", "memory", "@fastify/session + its MemoryStore"),
  peer("fastify-session", "fastify", "redis", "@fastify/session + connect-redis"),
  peer("hono-session", "hono", "memory", "@hono/session + a Map"),
  peer("hono-session", "hono", "cookie", "@hono/session (in the cookie)"),
  peer("iron-session", "node:http", "cookie", "iron-session (in the cookie)"),
];

/** The places where both this library and a peer keep sessions. */
export const sharedKeepings: readonly Keeping[] = ["memory", "redis", "mysql", "mongodb", "dynamodb"];

/** The server that a site needs. */
export function serviceOf({ keeping }: Site): ServiceName | undefined {
  return keeping === "memory" || keeping === "cookie" || keeping === "none" ? undefined : keeping;
}
