import "reflect-metadata";
import {
  Body,
  Controller,
  Get,
  HttpCode,
  Inject,
  Injectable,
  Module,
  Post,
  Req,
  Session,
} from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import type { NestExpressApplication } from "@nestjs/platform-express";
import { memoryDriver } from "@sessions/core/memory";
import session from "@sessions/express-session";
import type { Request } from "express";
import { expect, it, onTestFinished } from "vitest";
import { gate, Visitor } from "../support.ts";

declare module "express-session" {
  interface SessionData {
    views: number;
    user: string;
    report: string;
  }
}

@Injectable()
class Slow {
  readonly gate = gate();
}

@Controller()
class Site {
  readonly #slow: Slow;

  constructor(@Inject(Slow) slow: Slow) {
    this.#slow = slow;
  }

  @Get()
  findAll(@Session() session: Record<string, unknown>) {
    session["visits"] = typeof session["visits"] === "number" ? session["visits"] + 1 : 1;
    const { visits, user, report } = session;
    return { visits, user, report };
  }

  // As the guide of NestJS reads it from the request.
  @Post("login")
  @HttpCode(200)
  async login(@Req() request: Request, @Body("user") user: string) {
    await new Promise<void>((resolve, reject) => {
      request.session.regenerate((error) => (error ? reject(error) : resolve()));
    });
    request.session.user = user;
    return "welcome";
  }

  @Post("logout")
  @HttpCode(200)
  async logout(@Session() session: Request["session"]) {
    await new Promise<void>((resolve, reject) => {
      session.destroy((error) => (error ? reject(error) : resolve()));
    });
  }

  @Get("report")
  async report(@Session() session: Record<string, unknown>) {
    await this.#slow.gate.pass();
    session["report"] = "made";
  }
}

@Module({ controllers: [Site], providers: [Slow] })
class AppModule {}

async function site() {
  const app = await NestFactory.create<NestExpressApplication>(AppModule, { logger: false });
  app.use(session({ secret: "my-secret", resave: false, saveUninitialized: false, driver: memoryDriver() }));
  await app.listen(0, "127.0.0.1");
  onTestFinished(() => app.close());
  return { url: await app.getUrl(), slow: app.get(Slow).gate };
}

const view = async (visitor: Visitor) => JSON.parse((await visitor.get("/")).body);

it("@Session() is the visitor's, and a login holds until the logout", async () => {
  const { url } = await site();
  const visitor = new Visitor(url);
  await view(visitor);
  expect(await view(visitor)).toEqual({ visits: 2 });
  expect((await visitor.post("/login", { user: "alice" })).status).toBe(200);
  expect(await view(visitor)).toEqual({ visits: 1, user: "alice" });
  expect((await visitor.post("/logout")).status).toBe(200);
  expect(await view(visitor)).toEqual({ visits: 1 });
});

it("loses nothing of overlapping requests", async () => {
  const { url, slow } = await site();
  const visitor = new Visitor(url);
  await visitor.post("/login", { user: "alice" });
  const report = visitor.get("/report");
  await slow.reached;
  await view(visitor);
  slow.open();
  await report;
  expect(await view(visitor)).toEqual({ visits: 2, user: "alice", report: "made" });
});

it("stays logged out, also if a request ends later", async () => {
  const { url, slow } = await site();
  const visitor = new Visitor(url);
  await visitor.post("/login", { user: "alice" });
  const report = visitor.get("/report");
  await slow.reached;
  await visitor.post("/logout");
  slow.open();
  expect((await report).status).toBe(200);
  expect(await view(visitor)).toEqual({ visits: 1 });
});
