import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  ForbiddenException,
  Get,
  Logger,
  UseGuards,
} from "@nestjs/common";
import {
  createSessionManager,
  type Driver,
  DriverUnavailableError,
  type Session,
  SessionSetupError,
} from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import { describe, expect, onTestFinished, test } from "vitest";
import { createApp, type Platform } from "../src/app.ts";
import { CurrentSession } from "../src/session.ts";
import { ShopModule } from "../src/shop.module.ts";

class SignedIn implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<{ session: Session }>().session.principal !== undefined;
  }
}

@Controller()
class Forbidding {
  @Get("account")
  @UseGuards(SignedIn)
  account(@CurrentSession() session: Session): string {
    return `The account of ${session.principal}`;
  }

  @Get("forbidden")
  refuse(@CurrentSession() session: Session): never {
    session.store("attempts").update("count", (count) => Number(count ?? 0) + 1);
    throw new ForbiddenException("Not for you");
  }

  @Get("attempts")
  count(@CurrentSession() session: Session): string {
    return `${session.principal} ${session.store("attempts").get("count")}`;
  }
}

/** A memory driver whose methods fail while they are named in `failing`. */
function faultyDriver(failing: Map<string, Error>): Driver {
  const memory = memoryDriver();
  const run = async <T>(method: string, call: () => Promise<T>): Promise<T> => {
    const error = failing.get(method);
    if (error) throw error;
    return call();
  };
  return {
    name: "faulty",
    create: (...args) => run("create", () => memory.create(...args)),
    load: (...args) => run("load", () => memory.load(...args)),
    commit: (...args) => run("commit", () => memory.commit(...args)),
    destroy: (...args) => run("destroy", () => memory.destroy(...args)),
    sweep: (...args) => run("sweep", () => memory.sweep(...args)),
  };
}

describe.each<Platform>(["express", "fastify"])("on %s", (platform) => {
  async function start(): Promise<{ visitor: Visitor; failing: Map<string, Error> }> {
    const failing = new Map<string, Error>();
    const sessions = createSessionManager({ driver: faultyDriver(failing) });
    const app = await createApp(platform, { ...ShopModule.with(sessions), controllers: [Forbidding] });
    // This test looks at the error pages, so turn their log off.
    Logger.overrideLogger(false);
    await app.listen(0, "127.0.0.1");
    onTestFinished(() => app.close());
    return { visitor: new Visitor(await app.getUrl()), failing };
  }

  test("a handler that throws an HttpException loses no session, and no write", async () => {
    const { visitor } = await start();
    await visitor.post("/login", { name: "Ada" });
    const { cookie } = visitor;
    const refused = await visitor.get("/forbidden");
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ statusCode: 403, message: "Not for you" });
    expect(await (await visitor.get("/attempts")).text()).toBe("Ada 1");
    expect(visitor.cookie).toBe(cookie);
  });

  test("a guard has the session, and what it refuses is an error page like others", async () => {
    const { visitor } = await start();
    const refused = await visitor.get("/account");
    expect([refused.status, refused.headers.getSetCookie()]).toEqual([403, []]);
    await visitor.post("/login", { name: "Ada" });
    expect(await (await visitor.get("/account")).text()).toBe("The account of Ada");
  });

  test("an error page that begins a session has its record behind the cookie", async () => {
    const { visitor } = await start();
    expect((await visitor.get("/forbidden")).headers.getSetCookie()).toHaveLength(1);
    expect(await (await visitor.get("/attempts")).text()).toBe("undefined 1");
  });

  test("a page that is not there loses no session, and begins none", async () => {
    const { visitor } = await start();
    expect((await visitor.get("/nowhere")).headers.getSetCookie()).toEqual([]);
    await visitor.post("/login", { name: "Ada" });
    const missing = await visitor.get("/nowhere");
    expect([missing.status, missing.headers.getSetCookie()]).toEqual([404, []]);
    expect(await (await visitor.get("/")).text()).toContain("Signed in as Ada");
  });

  test.each(["load", "commit"])(
    "a backend that is down at the %s is a 503, and no logout",
    async (method) => {
      const { visitor, failing } = await start();
      await visitor.post("/login", { name: "Ada" });
      failing.set(method, new DriverUnavailableError("secret detail: it is unplugged"));
      const answer = await visitor.post("/items", { item: "tea" });
      expect([answer.status, answer.headers.getSetCookie()]).toEqual([503, []]);
      expect(answer.headers.get("location")).toBeNull();
      expect(await answer.json()).toMatchObject({ message: expect.stringContaining("still signed in") });

      failing.clear();
      const page = await (await visitor.get("/")).text();
      expect(page).toContain("Signed in as Ada");
      expect(page).not.toContain("tea");
    },
  );

  test("a login that could not be stored sends no cookie", async () => {
    const { visitor, failing } = await start();
    failing.set("create", new DriverUnavailableError("secret detail: it is unplugged"));
    const answer = await visitor.post("/login", { name: "Ada" });
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([503, []]);
    failing.clear();
    expect(await (await visitor.get("/")).text()).not.toContain("Ada");
  });

  test("a backend without its tables is Nest's own 500, and no logout", async () => {
    const { visitor, failing } = await start();
    await visitor.post("/login", { name: "Ada" });
    failing.set("load", new SessionSetupError("secret detail: run setup()"));
    const answer = await visitor.get("/");
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([500, []]);
    expect(await answer.text()).not.toContain("secret detail");
    failing.clear();
    expect(await (await visitor.get("/")).text()).toContain("Signed in as Ada");
  });

  test("what is missing, empty or too long is ignored", async () => {
    const { visitor } = await start();
    for (const fields of [{}, { item: " " }, { item: "x".repeat(51) }]) {
      const answer = await visitor.post("/items", fields);
      expect([answer.status, answer.headers.getSetCookie()]).toEqual([303, []]);
    }
    expect((await visitor.post("/login", { name: "x".repeat(51) })).headers.getSetCookie()).toEqual([]);
  });

  test("what visitors write is text on the page", async () => {
    const { visitor } = await start();
    await visitor.post("/login", { name: `<b>"Ada"</b>` });
    await visitor.post("/items", { item: "<script>alert(1)</script>" });
    expect(await (await visitor.get("/")).text()).not.toMatch(/<b>|<script>/);
  });
});

/** Keeps the cookie, and follows no redirect. */
class Visitor {
  cookie: string | undefined;
  readonly #origin: string;

  constructor(origin: string) {
    this.#origin = origin;
  }

  async #send(path: string, init: RequestInit): Promise<Response> {
    const headers = { ...(this.cookie !== undefined && { cookie: this.cookie }) };
    const response = await fetch(this.#origin + path, { ...init, headers, redirect: "manual" });
    const [setCookie] = response.headers.getSetCookie();
    if (setCookie !== undefined) this.cookie = setCookie.split(";", 1)[0];
    return response;
  }

  get(path: string): Promise<Response> {
    return this.#send(path, {});
  }

  post(path: string, fields: Record<string, string>): Promise<Response> {
    return this.#send(path, { method: "POST", body: new URLSearchParams(fields) });
  }
}
