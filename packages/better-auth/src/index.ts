/** better-auth's secondary storage on any driver. */
export { type SecondaryStorage, type SecondaryStorageOptions, secondaryStorage } from "./storage.ts";
