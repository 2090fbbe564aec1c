/** Next calls this once, before the server takes requests. */
export async function register() {
  if (process.env["NEXT_RUNTIME"] !== "nodejs") return;
  const { sessions } = await import("./session.ts");
  await sessions.setup();
  sessions.startSweeping({ every: "10m" });
}
