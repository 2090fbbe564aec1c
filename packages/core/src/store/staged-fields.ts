import { mergeFields } from "../driver/change.ts";
import { isOwn } from "../record/field-names.ts";
import { CODEC } from "../record/session-record.ts";
import { DEFAULT_CODEC } from "./codec.ts";
import { moveText } from "./value-codec.ts";

/** Recomputes a field's text from what is there now; run again when another commit came between. */
type Recompute = (text: string | undefined) => string | undefined;

interface Staged {
  readonly text: string | undefined;
  /** The text that was set outright; `undefined` where the record's own is what `recompute` begins with. */
  readonly root: { readonly text: string | undefined } | undefined;
  /** What made the text out of that. */
  readonly recompute: readonly Recompute[];
}

/** What was staged at one moment. */
export type Snapshot = ReadonlyMap<string, Staged>;

/** What one commit sends, and what `acknowledge` needs to know of it. */
export interface Patch {
  readonly fields: ReadonlyMap<string, string | null>;
  /** Some text was computed from what was read: only a compare-and-set makes it exact. */
  readonly exact: boolean;
  readonly sent: ReadonlyMap<string, Staged>;
}

/** A session's fields as they were read, and the changes staged on top of them. Encoded text only. */
export interface StagedFields {
  get(field: string): string | undefined;
  /** Every field that has a text now, the core's own among them. */
  names(): string[];
  /** `undefined` deletes. */
  set(field: string, text: string | undefined): void;
  update(field: string, recompute: Recompute): string | undefined;
  patch(): Patch;
  /** Whether a commit has something to send. */
  isChanged(): boolean;
  /** What the stores hold, staged and not, and the name of its codec, as a record that begins anew takes it over. */
  stores(): Map<string, string>;
  /** The record holds `fields` now, the patch among them. What was staged meanwhile stays staged, upon it. */
  acknowledge(patch: Patch, fields: ReadonlyMap<string, string>): void;
  /** The record, or the one that this goes on from, was read again. Throws what a recomputation throws. */
  rebase(fields: ReadonlyMap<string, string>): void;
  discard(): void;
  /** What is staged now, for `restore`. */
  staged(): Snapshot;
  /** Stages that again, and nothing else. */
  restore(staged: Snapshot): void;
}

const NOTHING: Patch = { fields: new Map(), exact: false, sent: new Map() };

export const createStagedFields = (read: ReadonlyMap<string, string>): StagedFields =>
  new FieldsUnderChange(read);

// A class, because one is made for each request: methods as closures would be made as often.
class FieldsUnderChange implements StagedFields {
  #base: ReadonlyMap<string, string>;
  readonly #staged = new Map<string, Staged>();

  constructor(read: ReadonlyMap<string, string>) {
    this.#base = read;
  }

  get(field: string): string | undefined {
    const change = this.#staged.get(field);
    return change ? change.text : this.#base.get(field);
  }

  names(): string[] {
    const names = [...this.#base.keys()].filter((field) => this.get(field) !== undefined);
    for (const [field, { text }] of this.#staged)
      if (text !== undefined && !this.#base.has(field)) names.push(field);
    return names;
  }

  set(field: string, text: string | undefined): void {
    this.#staged.set(field, { text, root: { text }, recompute: [] });
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

  stores(): Map<string, string> {
    const kept = [...this.#base].filter(([field]) => !isOwn(field) || field === CODEC);
    return mergeFields(new Map(kept), this.patch().fields);
  }

  acknowledge({ sent }: Patch, fields: ReadonlyMap<string, string>): void {
    this.#base = fields;
    for (const [field, was] of sent) {
      const is = this.#staged.get(field);
      if (is === was) this.#staged.delete(field);
      // Updated meanwhile: from now on what was sent is the record's own.
      else if (is && is.root === was.root)
        this.#staged.set(field, {
          ...is,
          root: undefined,
          recompute: is.recompute.slice(was.recompute.length),
        });
    }
  }

  rebase(fields: ReadonlyMap<string, string>): void {
    const home = this.#base.get(CODEC);
    const theirs = fields.get(CODEC);
    // What is staged keeps its codec: it goes on from a record of another.
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

  staged(): Snapshot {
    return new Map(this.#staged);
  }

  restore(staged: Snapshot): void {
    this.#staged.clear();
    for (const [field, change] of staged) this.#staged.set(field, change);
  }
}
