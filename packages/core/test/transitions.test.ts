import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Context } from "../src/context/context.ts";
import { createEmitter } from "../src/context/events.ts";
import { readSettings } from "../src/context/settings.ts";
import { memoryDriver } from "../src/memory.ts";
import { ownFields, readRecord, type SessionRecord } from "../src/record/session-record.ts";
import { freshPhase, mutedPhase, type Phase } from "../src/session/phase.ts";
import { newState, type Opened, type State, storedState } from "../src/session/state.ts";
import { newToken } from "../src/token/token.ts";

const NOW = Date.UTC(2030, 0, 1);

function contextOf(): Context {
  const settings = readSettings({ driver: memoryDriver(), clock: () => NOW });
  return {
    settings,
    emit: createEmitter().emit,
    codecs: new WeakMap(),
    sizes: { ticks: 0, known: new Map() },
    newToken,
    tokenText: () => "",
  };
}

const opened: Opened = { by: "token", touch: true, secure: false, device: undefined, at: NOW };
const token = newToken();

function recordOf(principal?: string): SessionRecord {
  const fields = ownFields(token, NOW, NOW, false);
  const record = readRecord(token.id, { version: 1, expiresAt: NOW + 1000, principal, fields }, 1e9);
  if (!record) throw new Error("no record of ours");
  return record;
}

const KINDS = ["fresh", "stored", "replacing", "muted", "gone"] as const;
const NOTHING = { fields: new Map(), exact: false, sent: new Map() };

function stateIn(kind: Phase["kind"]): State {
  const context = contextOf();
  if (kind === "fresh") return newState(context, opened, freshPhase(NOW));
  if (kind === "muted") return newState(context, opened, mutedPhase(NOW, undefined));
  const state = storedState(context, opened, recordOf("ann"), token);
  if (kind === "replacing") state.replace("login", "ann");
  if (kind === "gone") state.foundGone();
  return state;
}

const transitions: Record<string, (state: State) => void> = {
  'replace("login")': (state) => state.replace("login", "ben"),
  'replace("rotate")': (state) => state.replace("rotate"),
  began: (state) => state.began(recordOf("ben"), NOTHING, undefined),
  wrote: (state) => state.wrote(recordOf("ann"), NOTHING, undefined),
  reread: (state) => state.reread(recordOf("ann")),
  foundGone: (state) => state.foundGone(),
  takeBack: (state) => state.takeBack(),
  "loggedOut, muted": (state) => state.loggedOut(true, false),
  loggedOut: (state) => state.loggedOut(false, false),
};

/** The phase that each transition leads to, from each of `KINDS`; "" where the transition throws. */
const table: Record<string, readonly (Phase["kind"] | "")[]> = {
  'replace("login")': ["replacing", "replacing", "replacing", "replacing", "replacing"],
  'replace("rotate")': ["fresh", "replacing", "replacing", "muted", "gone"],
  began: ["stored", "", "stored", "", ""],
  wrote: ["", "stored", "", "", ""],
  reread: ["", "stored", "", "", ""],
  foundGone: ["gone", "gone", "gone", "muted", "gone"],
  takeBack: ["fresh", "stored", "stored", "muted", "gone"],
  "loggedOut, muted": ["muted", "muted", "muted", "muted", "muted"],
  loggedOut: ["fresh", "fresh", "fresh", "fresh", "fresh"],
};

for (const [name, results] of Object.entries(table))
  for (const [index, kind] of KINDS.entries()) {
    const result = results[index];
    test(`${name} leads from ${kind} to ${result || "an error"}`, () => {
      const state = stateIn(kind);
      expect(state.phase.kind).toBe(kind);
      const transition = (): void => transitions[name]?.(state);
      if (result === "") expect(transition).toThrow(`A session that is ${kind} does not do this`);
      else {
        transition();
        expect(state.phase.kind).toBe(result);
      }
    });
  }

test.each(KINDS)("takeBack returns a replaced session to %s, with its fields", (kind) => {
  const state = stateIn(kind);
  const { phase, fields } = state;
  state.replace("login", "ben");
  state.replace("login", "cid");
  state.takeBack();
  expect(state.phase).toBe(phase.kind === "replacing" ? phase.from : phase);
  expect(state.fields).toBe(fields);
});

test("the documented table has a row for every transition of this test", () => {
  const source = readFileSync(new URL("../src/session/phase.ts", import.meta.url), "utf8");
  for (const name of Object.keys(transitions)) expect(source).toContain(`\`${name.replace(", muted", "")}\``);
});
