import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from "@nestjs/common";
import type { SessionManager } from "@sessions/core";
import { SESSIONS } from "./session.ts";
import { ShopController } from "./shop.controller.ts";

@Module({ controllers: [ShopController] })
export class ShopModule implements OnApplicationShutdown {
  readonly #sessions: SessionManager;

  // Name the token, because esbuild and tsx emit no metadata of types, and an interface has none.
  constructor(@Inject(SESSIONS) sessions: SessionManager) {
    this.#sessions = sessions;
  }

  /** The shop with this manager. Every provider can get it by `@Inject(SESSIONS)`. */
  static with(sessions: SessionManager): DynamicModule {
    return { module: ShopModule, providers: [{ provide: SESSIONS, useValue: sessions }] };
  }

  onApplicationShutdown(): Promise<void> {
    return this.#sessions.close();
  }
}
