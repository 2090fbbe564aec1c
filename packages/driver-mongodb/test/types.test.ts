import type { ClosableDriver, ListingDriver, ProvisionedDriver } from "@sessions/core";
import type { Collection, Db, MongoClient } from "mongodb";
import type mongoose from "mongoose";
import { expect, expectTypeOf, test } from "vitest";
import {
  type AnyMongodbClientLike,
  fromUrl,
  type MongodbClientLike,
  type MongodbCollectionLike,
  type MongodbDbLike,
  type MongodbDriverOptions,
  type MongooseConnectionLike,
  type MongooseLike,
  mongodbDriver,
} from "../src/index.ts";

test("the clients and the collections of mongodb and mongoose fit", () => {
  expectTypeOf<Db>().toExtend<MongodbDbLike>();
  expectTypeOf<mongoose.Connection>().toExtend<MongooseConnectionLike>();
  expectTypeOf<typeof mongoose>().toExtend<MongooseLike>();
  expectTypeOf<MongodbDriverOptions["client"]>().toEqualTypeOf<AnyMongodbClientLike | undefined>();
  expectTypeOf<MongoClient>().toExtend<MongodbClientLike>();
  expectTypeOf<Collection>().toExtend<MongodbCollectionLike>();
  expectTypeOf<Collection<{ _id: string }>>().toExtend<MongodbCollectionLike>();
});

test("the driver lists and provisions, and that of fromUrl closes", () => {
  expectTypeOf(mongodbDriver).returns.toEqualTypeOf<ListingDriver & ProvisionedDriver>();
  expectTypeOf(fromUrl).returns.resolves.toEqualTypeOf<ListingDriver & ProvisionedDriver & ClosableDriver>();
  expectTypeOf(mongodbDriver).returns.not.toExtend<ClosableDriver>();
});

test("wrong programs do not compile", () => {
  // @ts-expect-error a collection has more than a name
  const named: MongodbDriverOptions = { collection: { collectionName: "x" } };
  // @ts-expect-error a duration has a unit
  const timeless: MongodbDriverOptions = { timeout: "2" };
  // @ts-expect-error no such option
  const ttl: MongodbDriverOptions = { ttl: 5 };
  expect([named, timeless, ttl]).toHaveLength(3);
});
