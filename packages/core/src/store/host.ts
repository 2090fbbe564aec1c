import type { StagedFields } from "./staged-fields.ts";
import type { ValueCodec } from "./value-codec.ts";

/** A decoded value, as the program holds it, and its text. */
export interface Decoded {
  readonly key: string;
  readonly value: unknown;
  /** The codec of the store that decoded it. A definition and a plain name may read the same field differently. */
  readonly codec: ValueCodec;
  text: string;
  /** The text of the value at the last check, if that is not `text`. */
  printed?: string;
}

/** A value that the codec has taken, before it is staged. */
export interface Encoded {
  readonly key: string;
  readonly field: string;
  readonly text: string;
  readonly value: unknown;
}

/** The decoded values of each field: one for each definition or plain name that read it. */
export type DecodedValues = Map<string, Decoded[]>;

/** The parts of a session that its stores need. */
export interface StoreHost {
  readonly fields: StagedFields;
  readonly decoded: DecodedValues;
  readonly response: {
    /** Call it when the program looks at the session. */
    noteRead(): void;
    /** Call it before there is anything that a commit may have to write. */
    becomePending(): void;
  };
  /**
   * Call it before staging a change.
   *
   * @returns `true` if the response has ended, so that the change must be dropped.
   * @throws SessionError `ERR_SESSION_HEADERS_SENT`: the client has no cookie and can no longer get one.
   */
  beforeWrite(): boolean;
}
