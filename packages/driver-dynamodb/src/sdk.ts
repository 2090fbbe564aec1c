/** What the package exports. */
export type Sdk = typeof import("@aws-sdk/client-dynamodb");

let loaded: Sdk | undefined;

/** The package with the client and its commands, when it is first needed: to import it takes longer than all the rest. */
export async function loadSdk(): Promise<Sdk> {
  loaded ??= await import("@aws-sdk/client-dynamodb");
  return loaded;
}
