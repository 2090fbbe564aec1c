import { dynamodbDriver } from "@sessions/driver-dynamodb";
import { mongodbDriver } from "@sessions/driver-mongodb";
import { mysqlDriver } from "@sessions/driver-mysql";
import { postgresDriver } from "@sessions/driver-postgres";
import { redisDriver } from "@sessions/driver-redis";
import { sqliteDriver } from "@sessions/driver-sqlite";

/** The drivers that take a client. */
export type DriverName = "dynamodb" | "mongodb" | "mysql" | "postgres" | "redis" | "sqlite";

const drivers: Record<DriverName, (options: never) => unknown> = {
  dynamodb: dynamodbDriver,
  mongodb: mongodbDriver,
  mysql: mysqlDriver,
  postgres: postgresDriver,
  redis: redisDriver,
  sqlite: sqliteDriver,
};

/** Returns the result of each driver for a client of any type: `"fits"`, or the error. */
export function refusals(client: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(drivers).map(([name, driver]) => {
      try {
        // As JavaScript would call it, without types.
        driver({ client } as never);
        return [name, "fits"];
      } catch (error) {
        return [name, String(error)];
      }
    }),
  );
}
