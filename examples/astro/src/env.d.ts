declare namespace App {
  interface Locals {
    session: import("@sessions/core").Session;
  }
}
