import type {
  AttributeValue,
  AttributeValueUpdate,
  DeleteItemCommandInput,
  ExpectedAttributeValue,
  PutItemCommandInput,
  UpdateItemCommandInput,
} from "@aws-sdk/client-dynamodb";
import { type Change, type NewRecord, SessionTooLargeError } from "@sessions/core";
import { raisesVersion } from "@sessions/core/driver-tools";
import { bytesOf, ITEM_BYTES, OWN } from "./record.ts";

const text = (S: string): AttributeValue => ({ S });
const number = (N: number): AttributeValue => ({ N: `${N}` });

function tooLarge(fields: ReadonlyMap<string, string | null>): boolean {
  let bytes = 0;
  for (const [name, value] of fields) if (value !== null) bytes += bytesOf(name, value);
  return bytes > ITEM_BYTES;
}

/** What is too large by itself is not sent: it would cost, and from 1 MB on the service's answer is another. */
function demandRoom(fields: ReadonlyMap<string, string | null>): void {
  if (tooLarge(fields))
    throw new SessionTooLargeError("dynamodb: an item holds 400 KB at most; nothing was changed");
}

export function createInput(
  table: string,
  id: string,
  { expiresAt, principal, fields }: NewRecord,
  ttl: number,
  now: number,
): PutItemCommandInput {
  demandRoom(fields);
  return {
    TableName: table,
    Item: {
      [OWN.id]: text(id),
      [OWN.version]: number(1),
      [OWN.expiresAt]: number(expiresAt),
      [OWN.ttl]: number(ttl),
      ...(principal !== undefined && { [OWN.principal]: text(principal) }),
      ...Object.fromEntries([...fields].map(([name, value]) => [name, text(value)])),
    },
    ConditionExpression: "attribute_not_exists(#i) OR #e <= :now",
    ExpressionAttributeNames: { "#i": OWN.id, "#e": OWN.expiresAt },
    ExpressionAttributeValues: { ":now": number(now) },
  };
}

export function destroyInput(table: string, id: string, now: number): DeleteItemCommandInput {
  return {
    TableName: table,
    Key: { [OWN.id]: text(id) },
    ConditionExpression: "#e > :now",
    ExpressionAttributeNames: { "#e": OWN.expiresAt },
    ExpressionAttributeValues: { ":now": number(now) },
  };
}

/** Removes a record that is still in the range of a sweep. */
export function sweepInput(table: string, id: string, after: number, before: number): DeleteItemCommandInput {
  return {
    TableName: table,
    Key: { [OWN.id]: text(id) },
    ConditionExpression: RANGE,
    ExpressionAttributeNames: { "#e": OWN.expiresAt },
    ExpressionAttributeValues: { ":after": number(after), ":before": number(before) },
  };
}
/** Of `:after` and `:before`, over `#e`. */
export const RANGE = "#e >= :after AND #e < :before";

/** An expression holds 4 KB; a field takes 10 bytes of it, or 12. */
const MOST_IN_EXPRESSION = 300;

/** Everything that a commit does to an item: a name, and its new value or none. */
type Patch = readonly (readonly [name: string, value: AttributeValue | undefined])[];

/** @param ttl For the new expiry, where there is one. */
export function commitInput(
  table: string,
  id: string,
  change: Change,
  ttl: number | undefined,
  now: number,
): UpdateItemCommandInput {
  const { fields, expiresAt, principal, ifVersion } = change;
  demandRoom(fields);
  const patch: Patch = [
    ...[...fields].map(([name, value]) => [name, value === null ? undefined : text(value)] as const),
    ...(expiresAt === undefined ? [] : [[OWN.expiresAt, number(expiresAt)] as const]),
    ...(ttl === undefined ? [] : [[OWN.ttl, number(ttl)] as const]),
    ...(principal === undefined
      ? []
      : [[OWN.principal, principal === null ? undefined : text(principal)] as const]),
  ];
  const counts = raisesVersion(change);
  return {
    TableName: table,
    Key: { [OWN.id]: text(id) },
    ...(patch.length <= MOST_IN_EXPRESSION
      ? expressions(patch, counts, ifVersion, now)
      : attributes(patch, counts, ifVersion, now)),
    // Without ifVersion a failed condition has but one meaning, and the item need not travel.
    ...(ifVersion !== undefined && { ReturnValuesOnConditionCheckFailure: "ALL_OLD" }),
  };
}

function expressions(
  patch: Patch,
  counts: boolean,
  ifVersion: number | undefined,
  now: number,
): Partial<UpdateItemCommandInput> {
  const names: Record<string, string> = { "#e": OWN.expiresAt };
  const values: Record<string, AttributeValue> = { ":now": number(now) };
  const sets: string[] = [];
  const removes: string[] = [];
  for (const [i, [name, value]] of patch.entries()) {
    names[`#${i}`] = name;
    if (value === undefined) removes.push(`#${i}`);
    else {
      values[`:${i}`] = value;
      sets.push(`#${i}=:${i}`);
    }
  }
  if (counts || ifVersion !== undefined) names["#v"] = OWN.version;
  if (counts) values[":1v"] = number(1);
  if (ifVersion !== undefined) values[":v"] = number(ifVersion);
  const update = [
    ...(sets.length > 0 ? [`SET ${sets.join()}`] : []),
    ...(removes.length > 0 ? [`REMOVE ${removes.join()}`] : []),
    ...(counts ? ["ADD #v :1v"] : []),
  ];
  return {
    ConditionExpression: ifVersion === undefined ? "#e > :now" : "#e > :now AND #v = :v",
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
    // An empty expression is an error; none is a commit that changes nothing.
    ...(update.length > 0 && { UpdateExpression: update.join(" ") }),
  };
}

/** The same in the words that the service had before expressions: they have no limit of their own. */
function attributes(
  patch: Patch,
  counts: boolean,
  ifVersion: number | undefined,
  now: number,
): Partial<UpdateItemCommandInput> {
  const updates: Record<string, AttributeValueUpdate> = {};
  for (const [name, value] of patch)
    updates[name] = value === undefined ? { Action: "DELETE" } : { Action: "PUT", Value: value };
  if (counts) updates[OWN.version] = { Action: "ADD", Value: number(1) };
  const expected: Record<string, ExpectedAttributeValue> = {
    [OWN.expiresAt]: { ComparisonOperator: "GT", AttributeValueList: [number(now)] },
  };
  if (ifVersion !== undefined)
    expected[OWN.version] = { ComparisonOperator: "EQ", AttributeValueList: [number(ifVersion)] };
  // All that is expected must be so; to say it is refused where there is but one thing.
  return { AttributeUpdates: updates, Expected: expected };
}
