import { readRecord, type SessionRecord } from "../record/session-record.ts";
import type { StoreRules } from "../store/define-store.ts";
import type { ValueCodec } from "../store/value-codec.ts";
import type { Token } from "../token/token.ts";
import type { Emitter } from "./events.ts";
import type { Settings } from "./settings.ts";
import type { Sizes } from "./size.ts";

/** Everything that the parts of one manager share. */
export interface Context {
  readonly settings: Settings;
  /** The codec of each store definition, made when a session first asks for the store. */
  readonly codecs: WeakMap<StoreRules, ValueCodec>;
  readonly emit: Emitter["emit"];
  readonly sizes: Sizes;
  /** Makes the token of a new session. */
  readonly newToken: () => Token;
  /** The text of a token, as the cookie carries it. */
  readonly tokenText: (token: Token) => string;
}

/** The record as the backend has it now: live, expired or ended. `undefined` if this library did not write it. */
export async function readNow({ settings, sizes }: Context, id: string): Promise<SessionRecord | undefined> {
  const readAt = ++sizes.ticks;
  const record = await settings.driver.load(id);
  return record && readRecord(id, record, settings.absolute, readAt);
}
