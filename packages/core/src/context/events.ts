interface Named {
  id: string;
  principal: string | undefined;
}

/** What a manager tells its listeners, with ids and principals, never a token or a value. */
export interface SessionEvents {
  /** A session was stored for the first time. */
  created: Named;
  /** A session went on under a new token; by a login or `rotate()`, under a new id as well. */
  rotated: Named & { reason: "login" | "rotate" | "periodic" };
  /** A session was ended. */
  destroyed: Named & { reason: "logout" | "admin" | "reused" };
  /** A token came whose turn has ended: it was copied, or restored from a backup. */
  reused: Named;
  /** A commit found that its session had ended. */
  gone: Named;
  /** A sweep removed so many records. */
  swept: { count: number };
  /** What nobody waits for failed: a background sweep, or a listener. */
  error: { error: unknown; during: "sweep" | "listener" };
}

type Listeners = { [E in keyof SessionEvents]: Set<(event: SessionEvents[E]) => void> };

export interface Emitter {
  on<E extends keyof SessionEvents>(event: E, listener: (event: SessionEvents[E]) => void): () => void;
  emit<E extends keyof SessionEvents>(event: E, payload: SessionEvents[E]): void;
}

/** Listeners are told in order; one that fails harms neither the request nor the others. */
export function createEmitter(): Emitter {
  const listeners: Listeners = {
    created: new Set(),
    rotated: new Set(),
    destroyed: new Set(),
    reused: new Set(),
    gone: new Set(),
    swept: new Set(),
    error: new Set(),
  };

  function failed(event: keyof SessionEvents, error: unknown): void {
    // A failing error listener must not be told of its own failure.
    if (event === "error" || listeners.error.size === 0)
      process.emitWarning(error instanceof Error ? error : String(error));
    else emit("error", { error, during: "listener" });
  }

  function emit<E extends keyof SessionEvents>(event: E, payload: SessionEvents[E]): void {
    if (event === "error" && listeners.error.size === 0) failed(event, "error" in payload && payload.error);
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
      if (!set) throw new TypeError(`Unknown event ${JSON.stringify(event)}`);
      set.add(listener);
      return () => {
        set.delete(listener);
      };
    },
  };
}
