import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { expect, test } from "vitest";
import { makeDictionary } from "../src/dictionary.ts";

// Whether it is one cannot be seen; what it holds can.
test("what is made a dictionary holds what it held, whatever its prototype", () => {
  for (const prototype of [ServerResponse.prototype, Object.create(ServerResponse.prototype)]) {
    const res = Object.setPrototypeOf(new ServerResponse(new IncomingMessage(new Socket())), prototype);
    res.sendDate = false;
    const before = { ...res };
    makeDictionary<ServerResponse, "sendDate">(res, "sendDate");
    expect({ ...res }).toEqual(before);
  }
});

test("what has the property from its prototype alone is left as it is", () => {
  const inherited = Object.create(Object.create({ sendDate: true }));
  makeDictionary<{ sendDate: boolean }, "sendDate">(inherited, "sendDate");
  expect(inherited.sendDate).toBe(true);
});
