/** The exports of the package `@aws-sdk/client-dynamodb`. */
export type Sdk = typeof import("@aws-sdk/client-dynamodb");

let loaded: Sdk | undefined;

/** Loads the package when it is first needed, because its import takes longer than everything else in the driver. */
export async function loadSdk(): Promise<Sdk> {
  loaded ??= await import("@aws-sdk/client-dynamodb");
  return loaded;
}
