import type { Driver } from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import type { Express } from "express";
import { describe, expect, test } from "vitest";
import { appOn, listen, meeting, type Visitor, visit } from "./support.ts";

/** What is under `/together` waits, with its session read, for the others. */
function addRoutes(app: Express, together: () => Promise<void>): void {
  app.get("/set/:key", (req, res) => {
    req.session[req.params.key] = req.params.key;
    res.end();
  });
  app.get("/together/set/:key", async (req, res) => {
    await together();
    req.session[req.params.key] = req.params.key;
    res.end();
  });
  app.get("/together/delete/:key", async (req, res) => {
    await together();
    delete req.session[req.params.key];
    res.end();
  });
  app.get("/together/nothing", async (_req, res) => {
    await together();
    res.end();
  });
  app.get("/", (req, res) => {
    const { cookie: _, ...data } = req.session;
    res.json(data);
  });
}

async function begin(together: () => Promise<void>, options = {}): Promise<Visitor> {
  const app = appOn(memoryDriver(), options);
  addRoutes(app, together);
  const visitor = visit(await listen(app));
  await visitor.get("/set/first");
  return visitor;
}

const data = async (visitor: Visitor): Promise<unknown> => JSON.parse((await visitor.get("/")).body);

describe.each([{ resave: false }, { resave: true }])("overlapping requests with %o", (options) => {
  test("what each writes to keys of its own survives", async () => {
    const visitor = await begin(meeting(3), options);
    await Promise.all(["a", "b", "c"].map((key) => visitor.get(`/together/set/${key}`)));
    expect(await data(visitor)).toEqual({ first: "first", a: "a", b: "b", c: "c" });
  });

  test("what one writes while the other has read and not yet written survives", async () => {
    const [read, written] = [meeting(2), meeting(2)];
    const visitor = await begin(() => read().then(written), options);
    const slow = visitor.get("/together/set/b");
    await read();
    await visitor.get("/set/a");
    await written();
    await slow;
    expect(await data(visitor)).toEqual({ first: "first", a: "a", b: "b" });
  });

  test("a deletion and a write of another key both survive", async () => {
    const visitor = await begin(meeting(2), options);
    await Promise.all([visitor.get("/together/delete/first"), visitor.get("/together/set/a")]);
    expect(await data(visitor)).toEqual({ a: "a" });
  });

  test("a request that changes nothing takes nothing back", async () => {
    const [read, written] = [meeting(2), meeting(2)];
    const visitor = await begin(() => read().then(written), options);
    const idle = visitor.get("/together/nothing");
    await read();
    await visitor.get("/set/a");
    await written();
    await idle;
    expect(await data(visitor)).toEqual({ first: "first", a: "a" });
  });
});

describe("several writes in one request", () => {
  test("of saves that do not wait for each other, the last one shows", async () => {
    const inner = memoryDriver();
    let first = true;
    // A backend on which what was sent first arrives last.
    const driver: Driver = {
      name: "late",
      create: inner.create,
      load: inner.load,
      destroy: inner.destroy,
      sweep: inner.sweep,
      async commit(id, change, now) {
        const late = first;
        first = false;
        if (late) await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
        return inner.commit(id, change, now);
      },
    };
    const app = appOn(driver);
    addRoutes(app, meeting(1));
    app.get("/twice", (req, res) => {
      req.session["n"] = 1;
      req.session.save();
      req.session["n"] = 2;
      res.end();
    });
    const visitor = visit(await listen(app));
    await visitor.get("/set/first");
    await visitor.get("/twice");
    expect(await data(visitor)).toEqual({ first: "first", n: 2 });
  });

  test("after reload, what others wrote meanwhile is seen, and not written back", async () => {
    const app = appOn(memoryDriver());
    addRoutes(app, meeting(1));
    const [read, written] = [meeting(2), meeting(2)];
    app.get("/reload", async (req, res) => {
      await read();
      await written();
      req.session.reload(() => {
        req.session["b"] = Object.keys(req.session).includes("a");
        res.end();
      });
    });
    const visitor = visit(await listen(app));
    await visitor.get("/set/first");
    const reload = visitor.get("/reload");
    await read();
    await visitor.get("/set/a");
    await written();
    await reload;
    expect(await data(visitor)).toEqual({ first: "first", a: "a", b: true });
  });
});
