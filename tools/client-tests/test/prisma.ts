import { createRequire } from "node:module";
import { PrismaBetterSqlite3 } from "@prisma/adapter-better-sqlite3";
import { PrismaPg } from "@prisma/adapter-pg";
import type * as PrismaRuntime from "@prisma/client/runtime/client";

const require = createRequire(import.meta.url);
const { getPrismaClient }: typeof PrismaRuntime = require("@prisma/client/runtime/client");

type ClassConfig = Parameters<typeof getPrismaClient>[0];
type Provider = "postgresql" | "mysql" | "sqlite";

/**
 * The class that `prisma generate` writes for a schema without models. The command itself would download an engine for
 * migrations.
 */
function classFor(activeProvider: Provider) {
  const runtime = `@prisma/client/runtime/query_compiler_small_bg.${activeProvider}`;
  const config: ClassConfig = {
    activeProvider,
    previewFeatures: [],
    clientVersion: "7.10.0",
    engineVersion: "",
    inlineSchema: `datasource db {\n  provider = "${activeProvider}"\n}\n`,
    runtimeDataModel: { models: {}, enums: {}, types: {} },
    parameterizationSchema: { strings: [], graph: "AAAA" },
    compilerWasm: {
      getRuntime: () => import(`${runtime}.mjs`),
      async getQueryCompilerWasmModule() {
        const { wasm } = await import(`${runtime}.wasm-base64.mjs`);
        const { Module } = Reflect.get(globalThis, "WebAssembly");
        return new Module(Buffer.from(wasm, "base64"));
      },
      importName: "./query_compiler_small_bg.js",
    },
  };
  return getPrismaClient(config);
}

/** The part of a client of Prisma that the tests use. */
export interface PrismaClient {
  $connect(): Promise<void>;
  $disconnect(): Promise<void>;
  $transaction<T>(
    work: (tx: PrismaClient) => Promise<T>,
    options?: { maxWait?: number; timeout?: number },
  ): Promise<T>;
  $queryRawUnsafe<T>(sql: string, ...values: unknown[]): Promise<T>;
  $executeRawUnsafe(sql: string, ...values: unknown[]): Promise<number>;
}

export const prismaClass = (provider: Provider): (new (options: { adapter: object }) => PrismaClient) =>
  Object(classFor(provider));

const open = (provider: Provider, adapter: object): PrismaClient => new (prismaClass(provider))({ adapter });

export const prismaPostgres = (connection: ConstructorParameters<typeof PrismaPg>[0]): PrismaClient =>
  open("postgresql", new PrismaPg(connection));
export const prismaSqlite = (file: string): PrismaClient =>
  open("sqlite", new PrismaBetterSqlite3({ url: `file:${file}` }));
