import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { callbackify } from "node:util";
import session, { type SessionData } from "express-session";

type Done = (error?: unknown) => void;

/** The old site's store: a file for each session. connect-redis, connect-mongo or any other store works too. */
export class FileStore extends session.Store {
  readonly #folder: string;

  constructor(folder: string) {
    super();
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
  }

  #file(sid: string): string {
    return join(this.#folder, createHash("sha256").update(sid).digest("hex"));
  }

  override get(sid: string, callback: (error: unknown, data?: SessionData | null) => void): void {
    callbackify(async (): Promise<SessionData | null> => {
      // express-session treats the error ENOENT as a missing session.
      const file = this.#file(sid);
      const data: SessionData = JSON.parse(await readFile(file, "utf8"));
      const { expires } = data.cookie;
      if (!expires || new Date(expires).getTime() > Date.now()) return data;
      await rm(file, { force: true });
      return null;
    })(callback);
  }

  override set(sid: string, data: SessionData, callback: Done = () => undefined): void {
    callbackify(async () => {
      const file = this.#file(sid);
      const whole = `${file}.${process.hrtime.bigint()}`;
      await writeFile(whole, JSON.stringify(data), { mode: 0o600 });
      await rename(whole, file);
    })(callback);
  }

  override touch(sid: string, data: SessionData, callback: Done = () => undefined): void {
    this.set(sid, data, callback);
  }

  override destroy(sid: string, callback: Done = () => undefined): void {
    callbackify(() => rm(this.#file(sid), { force: true }))(callback);
  }
}
