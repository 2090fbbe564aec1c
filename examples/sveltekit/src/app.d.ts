import type { Session } from "@sessions/core";

declare global {
  namespace App {
    interface Locals {
      session: Session;
    }
  }
}
