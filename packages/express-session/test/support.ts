import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import type { Driver } from "@sessions/core";
import express, { type Express } from "express";
import session, { type SessionOptions } from "express-session";
import { onTestFinished } from "vitest";
import { expressSessionStore } from "../src/index.ts";

declare module "express-session" {
  interface SessionData {
    [key: string]: unknown;
  }
}

export const HOUR = 3_600_000;

/** Listens on a free port until the test is over. */
export async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

/** A browser's cookies, and no more of it. */
export interface Visitor {
  get(path: string): Promise<{ status: number; body: string; setCookie: string | undefined }>;
}

export function visit(url: string): Visitor {
  let cookie: string | undefined;
  return {
    async get(path) {
      const headers = cookie === undefined ? {} : { cookie };
      const response = await fetch(url + path, { headers, redirect: "manual" });
      const [setCookie] = response.headers.getSetCookie();
      cookie = setCookie?.split(";", 1)[0] ?? cookie;
      return { status: response.status, body: await response.text(), setCookie };
    },
  };
}

/** An application with express-session on one of our drivers. */
export function appOn(driver: Driver, options: Partial<SessionOptions> = {}): Express {
  const app = express();
  app.use(
    session({
      secret: "it is a secret to nobody",
      resave: false,
      saveUninitialized: false,
      store: expressSessionStore(driver, { Store: session.Store }),
      ...options,
    }),
  );
  return app;
}

/** Answers once it was called as often as that: requests that wait for each other have all read their session. */
export function meeting(size: number): () => Promise<void> {
  let open = (): void => {};
  const all = new Promise<void>((resolve) => {
    open = resolve;
  });
  let there = 0;
  return () => {
    if (++there === size) open();
    return all;
  };
}

/** Calls a method that ends with a callback, and answers what that is told. */
export function ask<T>(
  call: (callback: (error?: unknown, answer?: T | null) => void) => void,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    call((error, answer) => {
      if (error) reject(error);
      else resolve(answer ?? undefined);
    });
  });
}
