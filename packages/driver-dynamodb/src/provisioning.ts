import { setTimeout } from "node:timers/promises";
import type { CreateTableCommandInput } from "@aws-sdk/client-dynamodb";
import { type ProvisionedDriver, SessionSetupError } from "@sessions/core";
import { type Backend, INDEX } from "./backend.ts";
import { createCheck } from "./check.ts";
import { contentOf, describe, describeTtl, hasOwnIndex, hasOwnKey, indexOf } from "./description.ts";
import { OWN } from "./record.ts";
import { isRefusal } from "./requests.ts";
import type { Sdk } from "./sdk.ts";

const index = {
  IndexName: INDEX,
  KeySchema: [{ AttributeName: OWN.principal, KeyType: "HASH" }],
  Projection: { ProjectionType: "KEYS_ONLY" },
} as const;

function definition(table: string): CreateTableCommandInput {
  return {
    TableName: table,
    AttributeDefinitions: [
      { AttributeName: OWN.id, AttributeType: "S" },
      { AttributeName: OWN.principal, AttributeType: "S" },
    ],
    KeySchema: [{ AttributeName: OWN.id, KeyType: "HASH" }],
    GlobalSecondaryIndexes: [{ ...index, KeySchema: [...index.KeySchema] }],
    BillingMode: "PAY_PER_REQUEST",
  };
}

/** Statuses that pass by themselves. */
const PASSING = ["CREATING", "UPDATING", "DELETING"];

export function createProvisioning(
  backend: Backend,
  onProgress: ((message: string) => void) | undefined,
): Pick<ProvisionedDriver, "setup" | "check" | "teardown"> {
  const { table, manage } = backend;

  function fail(why: string): never {
    throw new SessionSetupError(`dynamodb: ${why}`);
  }

  /** By what is in it, and not by its key alone: many applications call theirs `id`. */
  async function demandSessions(): Promise<"sessions" | "nothing" | "gone"> {
    const content = await contentOf(backend);
    if (content === "other")
      fail(
        `the table ${table} holds items that are not sessions, and is left as it is: name another in the option table, or remove them`,
      );
    return content;
  }

  /** Repeats a step until it has nothing to wait for: whoever else does the same at the same time. */
  async function until(step: () => Promise<string | undefined>): Promise<void> {
    for (let wait = 20; ; wait = Math.min(wait * 2, 5_000)) {
      const waitsFor = await step();
      if (waitsFor === undefined) return;
      onProgress?.(`dynamodb: ${waitsFor}`);
      // Between two looks at something that no event announces.
      await setTimeout(wait);
    }
  }

  /** Does the next thing that is missing, and answers what must be waited for. */
  async function advance(): Promise<string | undefined> {
    const found = await describe(backend);
    if (found === undefined) {
      await manage((sdk) => new sdk.CreateTableCommand(definition(table)), ["ResourceInUseException"]);
      return `the table ${table} is being created`;
    }
    const { TableStatus: status = "", BillingModeSummary: billing, ProvisionedThroughput: units } = found;
    if (PASSING.includes(status)) return `the table ${table} is ${status}`;
    if (status !== "ACTIVE") fail(`the table ${table} is ${status}`);
    if (!hasOwnKey(found))
      fail(`the table ${table} has another key than ${OWN.id} (S), so it is not the driver's`);
    if (!hasOwnIndex(found)) await demandSessions();
    const own = indexOf(found);
    if (own === undefined) {
      const update = (sdk: Sdk) =>
        new sdk.UpdateTableCommand({
          TableName: table,
          AttributeDefinitions: [{ AttributeName: OWN.principal, AttributeType: "S" }],
          GlobalSecondaryIndexUpdates: [
            {
              Create: {
                ...{ ...index, KeySchema: [...index.KeySchema] },
                // A table whose owner pays for capacity instead of requests: the index gets as much.
                ...(billing?.BillingMode !== "PAY_PER_REQUEST" &&
                  units && {
                    ProvisionedThroughput: {
                      ReadCapacityUnits: units.ReadCapacityUnits,
                      WriteCapacityUnits: units.WriteCapacityUnits,
                    },
                  }),
              },
            },
          ],
        });
      // Refused where another process makes it, or has made it since.
      const answer = await manage(update, ["ResourceInUseException", "ValidationException"]);
      if (isRefusal(answer) && answer.refused === "ValidationException" && !indexOf(await describe(backend)))
        fail(`the index ${INDEX} of ${table} cannot be made: ${answer.message}`);
      return `the index ${INDEX} of ${table} is being created`;
    }
    if (own.IndexStatus !== "ACTIVE") return `the index ${INDEX} of ${table} is ${own.IndexStatus}`;
    await enableTtl();
    return undefined;
  }

  async function enableTtl(): Promise<void> {
    if ((await describeTtl(backend)) === OWN.ttl) return;
    const specification = { AttributeName: OWN.ttl, Enabled: true };
    const answer = await manage(
      (sdk) => new sdk.UpdateTimeToLiveCommand({ TableName: table, TimeToLiveSpecification: specification }),
      // Another process may have done it since.
      ["ValidationException"],
    );
    if (isRefusal(answer) && (await describeTtl(backend)) !== OWN.ttl)
      fail(`TTL on ${OWN.ttl} of ${table} cannot be enabled: ${answer.message}`);
  }

  return {
    setup: () => until(advance),

    check: createCheck(backend),

    async teardown() {
      let isOwn = false;
      await until(async () => {
        const found = await describe(backend);
        if (found === undefined) return undefined;
        if (!hasOwnKey(found))
          fail(`the table ${table} has another key than ${OWN.id} (S), so it is not removed`);
        if (found.TableStatus === "DELETING") return `the table ${table} is being removed`;
        if (found.DeletionProtectionEnabled)
          fail(`the table ${table} is protected from deletion: switch that off, and call teardown() again`);
        if (!isOwn) {
          const content = await demandSessions();
          if (content === "gone") return `the table ${table} is ${found.TableStatus}`;
          // An empty one is the driver's by its index or its TTL alone.
          if (content === "nothing" && !hasOwnIndex(found) && (await describeTtl(backend)) !== OWN.ttl)
            return undefined;
          isOwn = true;
        }
        const command = (sdk: Sdk) => new sdk.DeleteTableCommand({ TableName: table });
        // Refused while it changes, or where another process has removed it since.
        const answer = await manage(command, [
          "ResourceInUseException",
          "ResourceNotFoundException",
          "ValidationException",
        ]);
        if (isRefusal(answer) && answer.refused === "ValidationException")
          fail(`the table ${table} cannot be removed: ${answer.message}`);
        return `the table ${table} is being removed`;
      });
    },
  };
}
