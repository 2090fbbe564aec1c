import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from "@nestjs/common";
import type { SessionManager } from "@sessions/core";
import { SESSIONS } from "./session.ts";
import { ShopController } from "./shop.controller.ts";

@Module({ controllers: [ShopController] })
export class ShopModule implements OnApplicationShutdown {
  readonly #sessions: SessionManager;

  // Named, not inferred: esbuild, and so tsx, emits no metadata of types, and an interface has none anyway.
  constructor(@Inject(SESSIONS) sessions: SessionManager) {
    this.#sessions = sessions;
  }

  /** The shop with this manager, which every provider may have by `@Inject(SESSIONS)`. */
  static with(sessions: SessionManager): DynamicModule {
    return { module: ShopModule, providers: [{ provide: SESSIONS, useValue: sessions }] };
  }

  onApplicationShutdown(): Promise<void> {
    return this.#sessions.close();
  }
}
