import { randomBytes } from "node:crypto";
import type { Driver, NewRecord } from "@sessions/core";
import type { CommandStartedEvent, Document, MongoClient } from "mongodb";

export const HOUR = 3_600_000;

export const newId = (): string => randomBytes(16).toString("hex");

/** A collection that no other test uses. */
export const newName = (): string => `t_${newId()}`;

export async function begin(driver: Driver, record: Partial<NewRecord> = {}): Promise<string> {
  const id = newId();
  const now = Date.now();
  const created = await driver.create(id, { expiresAt: now + HOUR, fields: new Map(), ...record }, now);
  if (!created) throw new Error(`${id} was taken`);
  return id;
}

/** The commands that a client sent while the body ran; it must have been made with `monitorCommands`. */
export async function commandsOf(client: MongoClient, body: () => Promise<unknown>): Promise<Document[]> {
  const commands: Document[] = [];
  const note = ({ command }: CommandStartedEvent): void => void commands.push(command);
  client.on("commandStarted", note);
  try {
    await body();
  } finally {
    client.off("commandStarted", note);
  }
  return commands;
}

export const nameOf = (command: Document): string => Object.keys(command)[0] ?? "";

/** Why a test is not run here. */
export const NOT_RUN = "not run: needs a real mongod, and only an emulator was found";
