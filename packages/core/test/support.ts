import { execFileSync } from "node:child_process";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import {
  type CommitResult,
  createSessionManager,
  type ListedRecord,
  type ListingDriver,
  type Session,
  type SessionManager,
  type SessionManagerOptions,
} from "../src/index.ts";
import { memoryDriver } from "../src/memory.ts";

export const START: number = Date.UTC(2026, 0, 1);
export const SECOND = 1000;
export const MINUTE = 60_000;
export const HOUR: number = 60 * MINUTE;
export const DAY: number = 24 * HOUR;

/** A clock that stands still until it is turned. */
export interface TestClock {
  (): number;
  advance(ms: number): void;
}

export function testClock(start: number = START): TestClock {
  let now = start;
  const clock = (): number => now;
  return Object.assign(clock, {
    advance(ms: number) {
      now += ms;
    },
  });
}

type Method = "create" | "load" | "commit" | "destroy" | "sweep" | "list";

/** What a driver was asked, as it was at the time. */
type Call = { [M in Method]: { method: M; args: Parameters<ListingDriver[M]> } }[Method];

export interface SpyDriver extends ListingDriver {
  readonly calls: Call[];
  /** The arguments of every call of one method. */
  of<M extends Method>(method: M): Parameters<ListingDriver[M]>[];
  /** How often each method was called since it was last asked. */
  counts(): Partial<Record<Method, number>>;
  /** Every record, expired ones included. */
  records(): Promise<readonly ListedRecord[]>;
}

/**
 * A driver in memory that remembers what it was asked; `faults` take the place of its methods, and `before` may wait or
 * throw.
 */
export function spyDriver(
  faults: Partial<ListingDriver> = {},
  inner: ListingDriver = memoryDriver(),
  before: (method: Method) => Promise<void> | undefined = () => undefined,
): SpyDriver {
  const calls: Call[] = [];
  const driver = { ...inner, ...faults };
  let counted = 0;
  const note = async (call: Call): Promise<void> => {
    calls.push(structuredClone(call));
    await before(call.method);
  };
  return {
    ...driver,
    name: "spy",
    calls,
    of: <M extends Method>(method: M) =>
      calls.filter((call) => call.method === method).map(({ args }) => args as Parameters<ListingDriver[M]>),
    counts() {
      const counts: Partial<Record<Method, number>> = {};
      for (const { method } of calls.slice(counted)) counts[method] = (counts[method] ?? 0) + 1;
      counted = calls.length;
      return counts;
    },
    records: async () => (await inner.list({ limit: 100_000 }, 0)).records,
    async create(...args) {
      await note({ method: "create", args });
      return driver.create(...args);
    },
    async load(...args) {
      await note({ method: "load", args });
      return driver.load(...args);
    },
    async commit(...args) {
      await note({ method: "commit", args });
      return driver.commit(...args);
    },
    async destroy(...args) {
      await note({ method: "destroy", args });
      return driver.destroy(...args);
    },
    async sweep(...args) {
      await note({ method: "sweep", args });
      return driver.sweep(...args);
    },
    async list(...args) {
      await note({ method: "list", args });
      return driver.list(...args);
    },
  };
}

/** A manager on a spied driver in memory, with a clock that stands still. */
export function setUp(options: SessionManagerOptions = {}): {
  sessions: SessionManager;
  driver: SpyDriver;
  clock: TestClock;
} {
  const driver = spyDriver();
  const clock = testClock();
  return { sessions: createSessionManager({ driver, clock, ...options }), driver, clock };
}

/** What a browser sends back for a Set-Cookie header: `undefined` where it was told to forget. */
export function cookieOf(setCookie: string | undefined, before?: string): string | undefined {
  if (setCookie === undefined) return before;
  return /;\s*max-age=0(;|$)/i.test(setCookie) ? undefined : setCookie.split(";")[0];
}

/** The Cookie header that a browser sends after this response. */
export function cookieFrom({ setCookie }: CommitResult): string {
  if (setCookie === undefined) throw new Error("The commit set no cookie");
  return setCookie.slice(0, `${setCookie};`.indexOf(";"));
}

/** One whole request: opens the header's session, uses it, commits. */
export async function request(
  sessions: SessionManager,
  header: string | undefined,
  use: (session: Session) => void = () => {},
): Promise<CommitResult> {
  const session = await sessions.open(header);
  use(session);
  return session.commit();
}

/** Stores a session, and answers the Cookie header that names it. */
export async function stored(
  sessions: SessionManager,
  use: (session: Session) => void = () => {},
): Promise<string> {
  const session = sessions.create();
  use(session);
  return cookieFrom(await session.commit());
}

/** What a call throws, synchronously or not; fails where it does not. */
export async function thrownBy(call: () => unknown): Promise<Error> {
  try {
    await call();
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error("What was thrown is no error");
  }
  throw new Error("Nothing was thrown");
}

const bytes = (text: string): number => Buffer.byteLength(text);

/** Names and keys that something on the way could take for one another, or for something else. */
const CONFUSABLE = [
  "a",
  "A",
  "b",
  "a.b",
  "a-b",
  "a_b",
  ".",
  "..",
  "-",
  "0",
  "00",
  "__proto__",
  "constructor",
];
const CONFUSABLE_KEYS = [
  ...CONFUSABLE,
  ..."/ // a/b /b b/ %2F a%2Fb %62 %zz % $ $where a$b ' \" ` \\ \\0 ; -- * ? @ @1 # & = toString".split(" "),
  ...["\0", "a\0", "\u0001", " ", "a ", " a", "\n", "\r\n", "\t", "\u2028", "\ufeff", "\uffff"],
  ...["é", "e\u0301", "ß", "SS", "ı", "K", "\u212a", "😀", "👨‍👩‍👧", "\u{10ffff}"],
  ...["k".repeat(255), "/".repeat(255), "😀".repeat(63), "é".repeat(127), `${"😀".repeat(63)}abc`],
];

export const storeNames: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...CONFUSABLE, ".".repeat(255), "s".repeat(255)),
  fc.stringMatching(/^[\w.-]{1,255}$/),
);

export const keys: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...CONFUSABLE_KEYS),
  fc.string({ unit: "binary", minLength: 1, maxLength: 255 }).filter((key) => bytes(key) <= 255),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 80 }).filter((key) => bytes(key) <= 255),
);

export const badStoreNames: readonly unknown[] = [
  "",
  "a/b",
  "a b",
  "a%",
  "é",
  "a\n",
  "a\0",
  "s".repeat(256),
  undefined,
  null,
  1,
  {},
];

export const badKeys: readonly unknown[] = [
  "",
  "\ud800",
  "a\udc00b",
  "k".repeat(256),
  "é".repeat(128),
  undefined,
  null,
  1,
  {},
  ["k"],
  Symbol("k"),
];

/** JSON that the default codec takes: it refuses an object's own `__proto__`. */
export const values: fc.Arbitrary<unknown> = fc
  .jsonValue()
  .filter((value) => !JSON.stringify(value).includes('"__proto__":'));

/**
 * Compiles the source into a folder, where plain Node can run it: the test runner has its own ways to resolve, and
 * keeps its processes alive. Answers the path of index.js.
 */
export function compileInto(folder: string): string {
  const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
  const compilerOptions = {
    ...{ noEmit: false, noCheck: true, declaration: false, isolatedDeclarations: false, types: [] },
    ...{ rewriteRelativeImportExtensions: true, rootDir: at("../src"), outDir: join(folder, "core") },
  };
  const config = {
    extends: at("../../../tsconfig.base.json"),
    compilerOptions,
    files: [at("../src/index.ts")],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  symlinkSync(at("../node_modules"), join(folder, "node_modules"));
  execFileSync(process.execPath, [at("../../../node_modules/typescript/bin/tsc"), "-p", folder]);
  return join(folder, "core", "index.js");
}
