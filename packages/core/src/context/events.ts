/** Why the token of a request was not accepted. */
export type Rejection = "malformed" | "signature" | "unknown" | "expired" | "reused";

interface Named {
  /** The session's id: 32 hex characters, safe to log. */
  id: string;
  /** The session's user, if it has one. */
  principal: string | undefined;
}

/**
 * The events of a manager, for `SessionManager.on()`. They carry ids and principals, never a token or a value.
 *
 * @example
 * const audit: { [E in keyof SessionEvents]?: (event: SessionEvents[E]) => void } = {
 *   reused: ({ id, principal }) => console.warn("A copied cookie was used:", id, principal),
 * };
 */
export interface SessionEvents {
  /** A session was stored for the first time. */
  created: Named;
  /**
   * A session got a new token. After a login or `rotate()` it also has a new id, and the session of `previousId` has
   * ended, so close its websockets. After a periodic rotation both ids are the same.
   */
  rotated: Named & { previousId: string; reason: "login" | "rotate" | "periodic" };
  /**
   * A session was ended by a logout, by an administrator, because a copied token was used, or because a login of its
   * user needed its place (`maxPerPrincipal`).
   */
  destroyed: Named & { reason: "logout" | "admin" | "reused" | "limit" };
  /** A request came with a session that has expired, if the backend still has its record. */
  expired: Named;
  /**
   * No token of a request was accepted; the reason is that of `session.rejected`. For alarms: a few come of old
   * cookies, many `"malformed"`, `"signature"` or `"unknown"` ones of a scan.
   */
  rejected: { reason: Rejection };
  /** A request came with a token whose generation has ended: the token was copied, or restored from a backup. */
  reused: Named;
  /** A commit found that its session had ended. */
  gone: Named;
  /** A sweep ended; `count` is how many records it removed. */
  swept: { count: number };
  /** A background sweep or a listener failed, and no caller can catch the error. */
  error: { error: unknown; during: "sweep" | "listener" };
}

type Listeners = { [E in keyof SessionEvents]: Set<(event: SessionEvents[E]) => void> };

export interface Emitter {
  on<E extends keyof SessionEvents>(event: E, listener: (event: SessionEvents[E]) => void): () => void;
  emit<E extends keyof SessionEvents>(event: E, payload: SessionEvents[E]): void;
}

/** Calls listeners in order. A listener that fails harms neither the request nor other listeners. */
export function createEmitter(): Emitter {
  const listeners: Listeners = {
    created: new Set(),
    rotated: new Set(),
    destroyed: new Set(),
    expired: new Set(),
    rejected: new Set(),
    reused: new Set(),
    gone: new Set(),
    swept: new Set(),
    error: new Set(),
  };

  const warn = (error: unknown): void => process.emitWarning(error instanceof Error ? error : String(error));

  function failed(event: keyof SessionEvents, error: unknown): void {
    // Do not call an error listener for its own failure.
    if (event === "error") warn(error);
    else emit("error", { error, during: "listener" });
  }

  function emit<E extends keyof SessionEvents>(event: E, payload: SessionEvents[E]): void {
    if ("error" in payload && listeners.error.size === 0) warn(payload.error);
    for (const listener of [...listeners[event]]) {
      try {
        const result: unknown = listener(payload);
        if (result instanceof Promise) result.catch((error: unknown) => failed(event, error));
      } catch (error) {
        failed(event, error);
      }
    }
  }

  return {
    emit,
    on(event, listener) {
      const set = listeners[event];
      if (!set) throw new TypeError(`sessions.on: unknown event ${JSON.stringify(event)}`);
      set.add(listener);
      return () => {
        set.delete(listener);
      };
    },
  };
}
