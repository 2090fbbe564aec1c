import { isOwn } from "./fields.ts";

/** Recomputes a field's text from what is there now; run again when another commit came between. */
type Recompute = (text: string | undefined) => string | undefined;

interface Staged {
  readonly text: string | undefined;
  /** The text that was set outright; `undefined` where the record's own is what `recompute` begins with. */
  readonly root: { readonly text: string | undefined } | undefined;
  /** What made the text out of that. */
  readonly recompute: readonly Recompute[];
}

/** What one commit sends, and what `settle` needs to know of it. */
export interface Patch {
  readonly fields: Map<string, string | null>;
  /** Some text was computed from what was read: only a compare-and-set makes it exact. */
  readonly exact: boolean;
  readonly sent: ReadonlyMap<string, Staged>;
}

/** A session's fields as they were read, and over them what is staged. Encoded text only. */
export interface Entries {
  get(field: string): string | undefined;
  /** Every field that has a text now, the core's own among them. */
  names(): string[];
  /** `undefined` deletes. */
  set(field: string, text: string | undefined): void;
  update(field: string, recompute: Recompute): string | undefined;
  patch(): Patch;
  /** What the stores hold, staged and not, as a record that begins anew takes it over. */
  stores(): Map<string, string>;
  /** The record holds `fields` now, the patch among them. What was staged meanwhile stays staged, upon it. */
  settle(patch: Patch, fields: ReadonlyMap<string, string>): void;
  /** The record was read again. Throws what a recomputation throws. */
  rebase(fields: ReadonlyMap<string, string>): void;
  discard(): void;
}

export function createEntries(read: ReadonlyMap<string, string> = new Map()): Entries {
  let base = read;
  const staged = new Map<string, Staged>();

  const get = (field: string): string | undefined => {
    const change = staged.get(field);
    return change ? change.text : base.get(field);
  };

  return {
    get,

    names() {
      const names = [...base.keys()].filter((field) => get(field) !== undefined);
      for (const [field, { text }] of staged) if (text !== undefined && !base.has(field)) names.push(field);
      return names;
    },

    set(field, text) {
      staged.set(field, { text, root: { text }, recompute: [] });
    },

    update(field, recompute) {
      const before = staged.get(field);
      const text = recompute(get(field));
      if (text !== get(field) || before)
        staged.set(field, { text, root: before?.root, recompute: [...(before?.recompute ?? []), recompute] });
      return text;
    },

    patch() {
      const fields = new Map<string, string | null>();
      let exact = false;
      for (const [field, { text, root }] of staged) {
        if (text === base.get(field)) continue;
        fields.set(field, text ?? null);
        exact ||= root === undefined;
      }
      return { fields, exact, sent: new Map(staged) };
    },

    stores() {
      const all = new Map([...base].filter(([field]) => !isOwn(field)));
      for (const [field, { text }] of staged) {
        if (text === undefined) all.delete(field);
        else all.set(field, text);
      }
      return all;
    },

    settle({ sent }, fields) {
      base = fields;
      for (const [field, was] of sent) {
        const is = staged.get(field);
        if (is === was) staged.delete(field);
        // Updated meanwhile: from now on what was sent is the record's own.
        else if (is && is.root === was.root)
          staged.set(field, { ...is, root: undefined, recompute: is.recompute.slice(was.recompute.length) });
      }
    },

    rebase(fields) {
      base = fields;
      for (const [field, { root, recompute }] of staged) {
        if (root) continue;
        const text = recompute.reduce<string | undefined>((now, step) => step(now), base.get(field));
        staged.set(field, { text, root, recompute });
      }
    },

    discard() {
      staged.clear();
    },
  };
}
