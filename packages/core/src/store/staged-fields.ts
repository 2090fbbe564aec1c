import { mergeFields } from "../driver/change.ts";
import { isOwn } from "../record/field-names.ts";
import { CODEC } from "../record/session-record.ts";
import { DEFAULT_CODEC } from "./codec.ts";
import { moveText } from "./value-codec.ts";

/** Computes a field's new text from its present text. Runs again if another commit came between. */
type Recompute = (text: string | undefined) => string | undefined;

interface Staged {
  readonly text: string | undefined;
  /** An object of its own for each `set()`. `undefined` if `recompute` begins with the record's text. */
  readonly root: object | undefined;
  /** The functions that made `text` from the text that was set, or from the record's. */
  readonly recompute: readonly Recompute[];
}

/** What one commit sends, and what `acknowledge()` needs afterwards. */
export interface Patch {
  readonly fields: ReadonlyMap<string, string | null>;
  /** Some text was computed from a text that was read, so the commit must be a compare-and-set. */
  readonly exact: boolean;
  readonly sent: ReadonlyMap<string, Staged>;
}

const NOTHING: Patch = { fields: new Map(), exact: false, sent: new Map() };

/** A session's fields as they were read, and the changes staged on top of them. Encoded text only. */
export class StagedFields {
  #base: ReadonlyMap<string, string>;
  readonly #staged = new Map<string, Staged>();

  constructor(read: ReadonlyMap<string, string>) {
    this.#base = read;
  }

  get(field: string): string | undefined {
    const change = this.#staged.get(field);
    return change ? change.text : this.#base.get(field);
  }

  /** Every field that has a text now, including the core's own. */
  names(): string[] {
    const names = new Set([...this.#base.keys(), ...this.#staged.keys()]);
    return [...names].filter((field) => this.get(field) !== undefined);
  }

  /** Stages a text; `undefined` deletes the field. */
  set(field: string, text: string | undefined): void {
    this.#staged.set(field, { text, root: {}, recompute: [] });
  }

  update(field: string, recompute: Recompute): string | undefined {
    const before = this.#staged.get(field);
    const text = recompute(this.get(field));
    if (text !== this.get(field) || before)
      this.#staged.set(field, {
        text,
        root: before?.root,
        recompute: [...(before?.recompute ?? []), recompute],
      });
    return text;
  }

  /** Whether a commit has something to send. */
  isChanged(): boolean {
    for (const [field, { text }] of this.#staged) if (text !== this.#base.get(field)) return true;
    return false;
  }

  patch(): Patch {
    if (this.#staged.size === 0) return NOTHING;
    const fields = new Map<string, string | null>();
    let exact = false;
    for (const [field, { text, root }] of this.#staged) {
      if (text === this.#base.get(field)) continue;
      fields.set(field, text ?? null);
      exact ||= root === undefined;
    }
    return { fields, exact, sent: new Map(this.#staged) };
  }

  /** The fields of the stores, staged ones included, and the name of their codec. A new record takes them over. */
  stores(): Map<string, string> {
    const kept = [...this.#base].filter(([field]) => !isOwn(field) || field === CODEC);
    return mergeFields(new Map(kept), this.patch().fields);
  }

  /** The record holds `fields` now, including the patch. Changes that were staged meanwhile stay staged. */
  acknowledge({ sent }: Patch, fields: ReadonlyMap<string, string>): void {
    this.#base = fields;
    for (const [field, was] of sent) {
      const is = this.#staged.get(field);
      if (is === was) this.#staged.delete(field);
      // Updated meanwhile: the text that was sent is now the record's.
      else if (is && is.root === was.root)
        this.#staged.set(field, {
          ...is,
          root: undefined,
          recompute: is.recompute.slice(was.recompute.length),
        });
    }
  }

  /** The record, or the one that it continues, was read again. Throws what a recomputation throws. */
  rebase(fields: ReadonlyMap<string, string>): void {
    const home = this.#base.get(CODEC);
    const theirs = fields.get(CODEC);
    // Staged texts keep their codec. Mark the texts of a record with another codec.
    const moved = ([field, text]: [string, string]): [string, string] => [
      field,
      isOwn(field) ? text : moveText(text, theirs),
    ];
    this.#base = home === theirs ? fields : new Map([...fields].map(moved)).set(CODEC, home ?? DEFAULT_CODEC);
    for (const [field, { root, recompute }] of this.#staged) {
      if (root) continue;
      const text = recompute.reduce<string | undefined>((now, step) => step(now), this.#base.get(field));
      this.#staged.set(field, { text, root, recompute });
    }
  }

  discard(): void {
    this.#staged.clear();
  }

  copy(): StagedFields {
    const copy = new StagedFields(this.#base);
    for (const [field, change] of this.#staged) copy.#staged.set(field, change);
    return copy;
  }
}
