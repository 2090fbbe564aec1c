/**
 * The phase of a response.
 *
 * - `waiting`: no call has come yet, and the first one will be held back.
 * - `passing`: there is nothing to commit, so every call passes.
 * - `holding`: calls are held back while the session is committed and sealed.
 * - `draining`: the held calls go out in their order. Later ones join them.
 * - `sent`: the headers are out, and calls pass. The last byte and `end` may still have to wait for a commit.
 * - `ended`: `end` went out, and its caller still runs.
 * - `over`: the caller of `end` has returned, or the client is gone.
 * - `abandoned`: a commit or a held call failed. All later calls are dropped.
 */
export type Phase = "waiting" | "passing" | "holding" | "draining" | "sent" | "ended" | "over" | "abandoned";

/** Moves a response from one phase to the next. */
export type Transition = "pass" | "wait" | "hold" | "seal" | "send" | "end" | "leave" | "lose" | "abandon";

const TRANSITIONS: Readonly<Record<Transition, Partial<Readonly<Record<Phase, Phase>>>>> = {
  pass: { waiting: "passing" },
  wait: { passing: "waiting" },
  hold: { waiting: "holding", sent: "draining" },
  seal: { holding: "draining" },
  send: { waiting: "sent", passing: "sent", draining: "sent" },
  end: { passing: "ended", draining: "ended" },
  leave: { ended: "over" },
  lose: { waiting: "over", passing: "over", sent: "over", ended: "over", over: "over" },
  abandon: { holding: "abandoned", draining: "abandoned" },
};

/**
 * Returns the next phase. A transition that is not in this table is a bug in this package.
 *
 * | transition | from | to | when |
 * | --- | --- | --- | --- |
 * | `pass` | waiting | passing | the session has nothing to commit |
 * | `wait` | passing | waiting | the session has something to commit, and no header is out |
 * | `hold` | waiting | holding | the first call comes |
 * | `hold` | sent | draining | `end` comes, or the last byte that `Content-Length` promises |
 * | `seal` | holding | draining | the session is committed |
 * | `send` | draining | sent | the held calls are out, and `end` was not among them |
 * | `send` | waiting, passing | sent | the session has something to commit, and the headers are out already |
 * | `end` | passing, draining | ended | `end` goes out |
 * | `leave` | ended | over | the caller of `end` has returned |
 * | `lose` | waiting, passing, sent, ended, over | over | the session has something to commit, and the client is gone |
 * | `abandon` | holding, draining | abandoned | a commit or a held call fails |
 *
 * @throws Error for any other transition.
 */
export function phaseAfter(phase: Phase, transition: Transition): Phase {
  const next = TRANSITIONS[transition][phase];
  if (next === undefined) throw new Error(`A response that is ${phase} cannot ${transition}`);
  return next;
}

/** Whether calls pass. Only the end of a body may still wait for a commit. */
export const letsPass = (phase: Phase): boolean => phase === "sent" || isUnsealed(phase);

/** Whether a head goes out unsealed in this phase. At `end` too: Node writes an implicit head during the call. */
export const isUnsealed = (phase: Phase): boolean =>
  phase === "passing" || phase === "ended" || phase === "over";

/** Whether a call may still be held back. */
export const canHold = (phase: Phase): boolean =>
  phase !== "ended" && phase !== "over" && phase !== "abandoned";
