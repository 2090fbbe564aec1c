import { readRecord, type SessionRecord } from "../record/session-record.ts";
import type { StoreRules } from "../store/define-store.ts";
import type { ValueCodec } from "../store/value-codec.ts";
import type { Emitter } from "./events.ts";
import type { Settings } from "./settings.ts";
import type { Sizes } from "./size.ts";

/** What all parts of one manager share. */
export interface Context {
  readonly settings: Settings;
  /** By definition, made for the first session that has the store. */
  readonly codecs: WeakMap<StoreRules, ValueCodec>;
  readonly emit: Emitter["emit"];
  readonly sizes: Sizes;
}

/** The record as the backend has it now, if it is one of ours: live, expired or ended. */
export async function readNow({ settings, sizes }: Context, id: string): Promise<SessionRecord | undefined> {
  const readAt = ++sizes.ticks;
  const record = await settings.driver.load(id);
  return record && readRecord(id, record, settings.absolute, readAt);
}

/** When a session that is used at `now` expires, unless `setExpiry` says otherwise. */
export const expiryFrom = ({ idle, absolute }: Settings, now: number, createdAt: number): number =>
  Math.min(now + idle, createdAt + absolute);
