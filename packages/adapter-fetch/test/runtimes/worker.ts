// Workers run this. It holds both the applications that cases start and the client, each in separate requests.

import type { Connect, Target } from "@sessions/adapter-conformance";
import { createSessionManager } from "@sessions/core";
import { withSession } from "../../src/index.ts";
import { applications, type Build, type Fetch } from "../applications.ts";
import { byTitle } from "./by-title.ts";

/** The header with an application's address, because all listen on one port. A request that starts a case has none. */
const NAME = "x-application";
const running = new Map<string, Fetch>();
let started = 0;

const start =
  (build: Build): Target["start"] =>
  async (application) => {
    const address = `http://application-${++started}`;
    running.set(address, build(application));
    return { url: address, close: () => running.delete(address) };
  };

/** Uses `fetch`, because the `node:http` of Workers joins several `Set-Cookie` headers. */
const connect =
  (url: URL): Connect =>
  (address) => ({
    async ask({ path = "/", method = "GET", headers = {}, signal, onResponse, onData } = {}) {
      const response = await fetch(new URL(path, url), {
        method,
        headers: { ...headers, [NAME]: address },
        redirect: "manual",
        ...(signal && { signal }),
      });
      onResponse?.();
      const decoder = new TextDecoder();
      let text = "";
      for await (const chunk of response.body ?? []) {
        text += decoder.decode(chunk, { stream: true });
        await onData?.(text);
      }
      const cookies = response.headers.getSetCookie();
      return { status: response.status, headers: Object.fromEntries(response.headers), cookies, text };
    },
    close: () => undefined,
  });

/** Runs the cases. It is made with the module, as applications make their manager; Workers allows less there. */
const sessions = createSessionManager();

/** The entry that Workers calls. */
export const worker = {
  async fetch(request: Request): Promise<Response> {
    const app = running.get(request.headers.get(NAME) ?? "");
    if (app) return app(request);
    const url = new URL(request.url);
    const build = applications[url.searchParams.get("application") ?? ""];
    const title = url.searchParams.get("title");
    if (!build || title === null) return new Response("Which case of which application?", { status: 400 });
    const run = byTitle({ start: start(build), connect: connect(url) });
    return withSession(sessions, request, async (session) => {
      session.store("cases").set("last", title);
      return Response.json(await run(title));
    });
  },
};
