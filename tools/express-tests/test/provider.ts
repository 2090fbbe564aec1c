import { createHash, randomUUID } from "node:crypto";
import express from "express";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { listen } from "./support.ts";

/** What a code stands for until it is exchanged. */
type Grant = Record<string, unknown>;

let keys: ReturnType<typeof generateKeyPair> | undefined;

/**
 * A provider of logins that asks no questions: OAuth 2 with PKCE, and OpenID Connect. Every visitor is alice.
 *
 * @param whileThere Called while a visitor is at the provider.
 */
export async function provider(whileThere: () => Promise<void> = async () => {}): Promise<string> {
  keys ??= generateKeyPair("RS256");
  const { publicKey, privateKey } = await keys;
  const key = { ...(await exportJWK(publicKey)), kid: "1", alg: "RS256", use: "sig" };
  const grants = new Map<string, Grant>();
  const app = express();
  let issuer = "";
  app.use(express.urlencoded({ extended: false }));

  app.get("/.well-known/openid-configuration", (_req, res) => {
    res.json({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      end_session_endpoint: `${issuer}/logout`,
      response_types_supported: ["code", "id_token"],
      id_token_signing_alg_values_supported: ["RS256"],
      subject_types_supported: ["public"],
    });
  });
  app.get("/jwks", (_req, res) => {
    res.json({ keys: [key] });
  });

  app.get("/authorize", async (req, res) => {
    await whileThere();
    const code = randomUUID();
    grants.set(code, req.query);
    const url = new URL(String(req.query["redirect_uri"]));
    url.searchParams.set("code", code);
    if (typeof req.query["state"] === "string") url.searchParams.set("state", req.query["state"]);
    res.redirect(url.href);
  });

  app.post("/token", async (req, res) => {
    const grant = grants.get(req.body.code);
    grants.delete(req.body.code);
    const challenge = createHash("sha256").update(String(req.body.code_verifier)).digest("base64url");
    if (!grant || grant["code_challenge"] !== challenge) {
      res.status(400).json({ error: "invalid_grant" });
      return;
    }
    const { nonce } = grant;
    const id_token = await new SignJWT({ sub: "alice", ...(typeof nonce === "string" && { nonce }) })
      .setProtectedHeader({ alg: "RS256", kid: "1" })
      .setIssuer(issuer)
      .setAudience(String(grant["client_id"]))
      .setIssuedAt()
      .setExpirationTime("1h")
      .sign(privateKey);
    res.json({ access_token: "token of alice", token_type: "Bearer", expires_in: 3600, id_token });
  });

  issuer = await listen(app);
  return issuer;
}
