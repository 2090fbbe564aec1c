import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { expect, test } from "vitest";
import { makeDictionary } from "../src/dictionary.ts";

// JavaScript cannot see whether an object is a dictionary, only that its properties stay.
test("makeDictionary keeps every property, whatever the prototype", () => {
  for (const prototype of [ServerResponse.prototype, Object.create(ServerResponse.prototype)]) {
    const res = Object.setPrototypeOf(new ServerResponse(new IncomingMessage(new Socket())), prototype);
    res.sendDate = false;
    const before = { ...res };
    makeDictionary<ServerResponse, "sendDate">(res, "sendDate");
    expect({ ...res }).toEqual(before);
  }
});

test("makeDictionary leaves an inherited property alone", () => {
  const inherited = Object.create(Object.create({ sendDate: true }));
  makeDictionary<{ sendDate: boolean }, "sendDate">(inherited, "sendDate");
  expect(inherited.sendDate).toBe(true);
});
