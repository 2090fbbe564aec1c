import type {
  AttributeValue,
  AttributeValueUpdate,
  DeleteItemCommandInput,
  ExpectedAttributeValue,
  PutItemCommandInput,
  UpdateItemCommandInput,
} from "@aws-sdk/client-dynamodb";
import type { Change, ListedRecord, ListPage, NewRecord } from "@sessions/core";
import { raisesVersion } from "@sessions/core/driver-tools";
import type { Item } from "./connection.ts";
import { tooLarge } from "./errors.ts";

/** The name of the index on principals. A touch writes nothing to it, because it holds only keys. */
export const INDEX = "principal";

/** The driver's own attributes. A field's name contains a `/`, and so is never one of these. */
export const OWN = {
  id: "id",
  version: "version",
  expiresAt: "expiresAt",
  principal: "principal",
  /** The time from which the service may remove the item itself, in epoch seconds. */
  ttl: "ttl",
} as const;

/** The most bytes that an item may have, the names of its attributes included. */
const ITEM_BYTES: number = 400 * 1024;

/**
 * The bytes of an item that are left for fields: the driver's own attributes and the longest principal take less than 1
 * KB.
 */
export const RECORD_BYTES: number = ITEM_BYTES - 1024;

/** Reads a record from an item; `undefined` for an item that is no session. */
export function parseRecord(item: Item): ListedRecord | undefined {
  const fields = new Map<string, string>();
  for (const [name, { S: text }] of Object.entries(item))
    if (text !== undefined && name.includes("/")) fields.set(name, text);
  const id = item[OWN.id]?.S;
  const version = item[OWN.version]?.N;
  const expiresAt = item[OWN.expiresAt]?.N;
  const principal = item[OWN.principal]?.S;
  if (id === undefined || version === undefined || expiresAt === undefined) return undefined;
  return {
    id,
    version: Number(version),
    expiresAt: Number(expiresAt),
    fields,
    ...(principal !== undefined && { principal }),
  };
}

/** A page of a listing from items, and the key of the last one that the service looked at. */
export function pageOf(items: readonly Item[] | undefined, last: Item | undefined): ListPage {
  const cursor = last?.[OWN.id]?.S;
  return {
    records: (items ?? []).flatMap((item) => parseRecord(item) ?? []),
    ...(cursor !== undefined && { cursor }),
  };
}

const text = (S: string): AttributeValue => ({ S });
const number = (N: number): AttributeValue => ({ N: `${N}` });

/**
 * Refuses fields that certainly do not fit. Sent, they would cost, and above 1 MB the service returns another error.
 */
function refuseTooLarge(fields: ReadonlyMap<string, string | null>): void {
  let bytes = 0;
  for (const [name, value] of fields) if (value !== null) bytes += name.length + Buffer.byteLength(value);
  if (bytes > ITEM_BYTES) throw tooLarge();
}

export function createInput(
  table: string,
  id: string,
  { expiresAt, principal, fields }: NewRecord,
  ttl: number,
  now: number,
): PutItemCommandInput {
  refuseTooLarge(fields);
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

/** Removes a record if its expiry is still in the range of a sweep. */
export function sweepInput(table: string, id: string, after: number, before: number): DeleteItemCommandInput {
  return {
    TableName: table,
    Key: { [OWN.id]: text(id) },
    ConditionExpression: RANGE,
    ExpressionAttributeNames: { "#e": OWN.expiresAt },
    ExpressionAttributeValues: { ":after": number(after), ":before": number(before) },
  };
}
/** The range of a sweep: `:after` and `:before`, over the expiry as `#e`. */
export const RANGE = "#e >= :after AND #e < :before";

/** An expression holds 4 KB; a field takes 10 to 12 bytes of it. */
const MOST_IN_EXPRESSION = 300;

/** The changes of an item's attributes: each name with its new value, or `undefined` to remove it. */
type Patch = readonly (readonly [name: string, value: AttributeValue | undefined])[];

/** @param ttl The time to live for the new expiry, in epoch seconds; `undefined` where the expiry stays. */
export function commitInput(
  table: string,
  id: string,
  change: Change,
  ttl: number | undefined,
  now: number,
): UpdateItemCommandInput {
  const { fields, expiresAt, principal, ifVersion } = change;
  refuseTooLarge(fields);
  const patch: Patch = [
    ...[...fields].map(([name, value]) => [name, value === null ? undefined : text(value)] as const),
    ...(expiresAt === undefined ? [] : [[OWN.expiresAt, number(expiresAt)] as const]),
    ...(ttl === undefined ? [] : [[OWN.ttl, number(ttl)] as const]),
    ...(principal === undefined
      ? []
      : [[OWN.principal, principal === null ? undefined : text(principal)] as const]),
  ];
  const raises = raisesVersion(change);
  return {
    TableName: table,
    Key: { [OWN.id]: text(id) },
    ...(patch.length <= MOST_IN_EXPRESSION
      ? expressions(patch, raises, ifVersion, now)
      : attributes(patch, raises, ifVersion, now)),
    // Without ifVersion a failed condition has only one meaning, so the item is not needed.
    ...(ifVersion !== undefined && { ReturnValuesOnConditionCheckFailure: "ALL_OLD" }),
  };
}

function expressions(
  patch: Patch,
  raises: boolean,
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
  if (raises || ifVersion !== undefined) names["#v"] = OWN.version;
  if (raises) values[":1v"] = number(1);
  if (ifVersion !== undefined) values[":v"] = number(ifVersion);
  const update = [
    ...(sets.length > 0 ? [`SET ${sets.join()}`] : []),
    ...(removes.length > 0 ? [`REMOVE ${removes.join()}`] : []),
    ...(raises ? ["ADD #v :1v"] : []),
  ];
  return {
    ConditionExpression: ifVersion === undefined ? "#e > :now" : "#e > :now AND #v = :v",
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
    // An empty expression is an error. Without one, the commit changes nothing.
    ...(update.length > 0 && { UpdateExpression: update.join(" ") }),
  };
}

/** The same in the API's older form, which has no limit of its own. */
function attributes(
  patch: Patch,
  raises: boolean,
  ifVersion: number | undefined,
  now: number,
): Partial<UpdateItemCommandInput> {
  const updates: Record<string, AttributeValueUpdate> = {};
  for (const [name, value] of patch)
    updates[name] = value === undefined ? { Action: "DELETE" } : { Action: "PUT", Value: value };
  if (raises) updates[OWN.version] = { Action: "ADD", Value: number(1) };
  const expected: Record<string, ExpectedAttributeValue> = {
    [OWN.expiresAt]: { ComparisonOperator: "GT", AttributeValueList: [number(now)] },
  };
  if (ifVersion !== undefined)
    expected[OWN.version] = { ComparisonOperator: "EQ", AttributeValueList: [number(ifVersion)] };
  // Without a ConditionalOperator, which the service refuses for a single condition: AND is its default.
  return { AttributeUpdates: updates, Expected: expected };
}
