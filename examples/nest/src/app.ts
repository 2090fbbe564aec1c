import "reflect-metadata";
import type { DynamicModule, INestApplication, LogLevel } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import type { NestExpressApplication } from "@nestjs/platform-express";
import { FastifyAdapter, type NestFastifyApplication } from "@nestjs/platform-fastify";
import { sessionPlugin } from "@sessions/adapter-fastify";
import { sessionMiddleware } from "@sessions/adapter-node";
import type { SessionManager } from "@sessions/core";
import { OwnFormsGuard, SESSIONS, SessionErrorFilter } from "./session.ts";

export type Platform = "express" | "fastify";

// The end of the program cuts all connections, including those that a browser has not used yet.
const options = { logger: ["error", "warn"] satisfies LogLevel[], forceCloseConnections: true };

/** The same controllers run on both platforms. Only these few lines differ. */
export async function createApp(platform: Platform, module: DynamicModule): Promise<INestApplication> {
  let app: INestApplication;
  if (platform === "fastify") {
    const fastify = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), options);
    await fastify.register(sessionPlugin, { sessions: fastify.get<SessionManager>(SESSIONS) });
    app = fastify;
  } else {
    app = await NestFactory.create<NestExpressApplication>(module, options);
    app.use(sessionMiddleware(app.get<SessionManager>(SESSIONS)));
  }
  app.useGlobalGuards(new OwnFormsGuard());
  return app.useGlobalFilters(new SessionErrorFilter(app.getHttpAdapter()));
}
