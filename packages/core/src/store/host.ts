import type { StagedFields } from "./staged-fields.ts";
import type { ValueCodec } from "./value-codec.ts";

/** A value as a program holds it, and the text that it stands for. */
export interface Decoded {
  readonly key: string;
  readonly value: unknown;
  /** Of the store that decoded it: a definition and a bare name may read the same field differently. */
  readonly codec: ValueCodec;
  text: string;
  /** How the value printed when it was last looked at, where that is not `text`. */
  printed?: string;
}

/** By field, each value that was decoded; one for each handle of the store that reads otherwise. */
export type DecodedValues = Map<string, Decoded[]>;

/** What a store needs of the session that it is a part of. */
export interface StoreHost {
  readonly staged: { readonly fields: StagedFields; readonly decoded: DecodedValues };
  readonly response: {
    /** The program looked at the session. */
    noteRead(): void;
    /** Before there is anything that a commit may have to write. */
    becomePending(): void;
  };
  /**
   * Before a change is staged.
   *
   * @returns `true` where the response is over and the change is to be dropped.
   * @throws SessionError `ERR_SESSION_HEADERS_SENT` where the client can no longer be given the cookie that it lacks.
   */
  beforeWrite(): boolean;
}
