import { newId } from "@sessions/driver-tests/records";
import type { CommandStartedEvent, Document, MongoClient } from "mongodb";

export { begin, HOUR, newId } from "@sessions/driver-tests/records";

/** A collection that no other test uses. */
export const newName = (): string => `t_${newId()}`;

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
