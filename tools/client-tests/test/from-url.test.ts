import { inspect } from "node:util";
import { isSessionError } from "@sessions/core";
import type { FromUrl } from "@sessions/core/driver-tools";
import * as dynamodb from "@sessions/driver-dynamodb";
import * as mongodb from "@sessions/driver-mongodb";
import * as mysql from "@sessions/driver-mysql";
import * as postgres from "@sessions/driver-postgres";
import * as redis from "@sessions/driver-redis";
import * as sqlite from "@sessions/driver-sqlite";
import { expect, test } from "vitest";

/** The compiler checks that each is what SPEC.md asks of `fromUrl`. */
const fromUrls: Record<string, FromUrl> = {
  dynamodb: dynamodb.fromUrl,
  mongodb: mongodb.fromUrl,
  mysql: mysql.fromUrl,
  postgres: postgres.fromUrl,
  redis: redis.fromUrl,
  sqlite: sqlite.fromUrl,
};

test.each(Object.entries(fromUrls))(
  "fromUrl of %s refuses another URL, and does not show it",
  async (_, fromUrl) => {
    const error: unknown = await Promise.resolve(fromUrl("acme://user:hunter2@host/name")).then(
      () => "opened",
      (reason: unknown) => reason,
    );
    expect(isSessionError(error, "ERR_SESSION_CONFIG")).toBe(true);
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain("hunter2");
  },
);
