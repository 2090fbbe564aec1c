import { awayFaults } from "./faults/away.ts";
import { backendFaults } from "./faults/backend.ts";
import { batchFaults } from "./faults/batches.ts";
import { changeFaults } from "./faults/changes.ts";
import { clientFaults } from "./faults/clients.ts";
import { clockFaults } from "./faults/clocks.ts";
import { columnFaults } from "./faults/columns.ts";
import { commitFaults } from "./faults/commit.ts";
import { createAndLoadFaults } from "./faults/create-load.ts";
import { deployedFaults } from "./faults/deployed.ts";
import type { Fault } from "./faults/fault.ts";
import { hiddenFaults } from "./faults/hidden.ts";
import { keyValueFaults } from "./faults/key-value.ts";
import { listAndIsolationFaults } from "./faults/list-isolation.ts";
import { memoryFaults } from "./faults/memories.ts";
import { nameFaults } from "./faults/names.ts";
import { cassandraFaults } from "./faults/of-cassandra.ts";
import { d1Faults } from "./faults/of-d1.ts";
import { ferretDbFaults } from "./faults/of-ferretdb.ts";
import { ioredisFaults } from "./faults/of-ioredis.ts";
import { postgresJsFaults } from "./faults/of-postgres-js.ts";
import { tidbFaults } from "./faults/of-tidb.ts";
import { upstashFaults } from "./faults/of-upstash.ts";
import { pageFaults } from "./faults/pages.ts";
import { repeatFaults } from "./faults/repeats.ts";
import { sqlFaults } from "./faults/sql.ts";
import { sweepAndContentFaults } from "./faults/sweep-content.ts";
import { textFaults } from "./faults/texts.ts";
import { versionAndDestroyFaults } from "./faults/version-destroy.ts";

/** Drivers with one deliberate fault each, and the rule that it breaks: the kit must fail that rule and no other. */
export const faultyDrivers: readonly Fault[] = [
  ...createAndLoadFaults,
  ...commitFaults,
  ...versionAndDestroyFaults,
  ...sweepAndContentFaults,
  ...backendFaults,
  ...listAndIsolationFaults,
  ...sqlFaults,
  ...columnFaults,
  ...changeFaults,
  ...clockFaults,
  ...clientFaults,
  ...keyValueFaults,
  ...pageFaults,
  ...textFaults,
  ...nameFaults,
  ...awayFaults,
  ...deployedFaults,
  ...hiddenFaults,
  ...memoryFaults,
  ...batchFaults,
  ...repeatFaults,
  ...ioredisFaults,
  ...upstashFaults,
  ...postgresJsFaults,
  ...d1Faults,
  ...ferretDbFaults,
  ...tidbFaults,
  ...cassandraFaults,
];
