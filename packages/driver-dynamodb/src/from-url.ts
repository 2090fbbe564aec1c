import type { ClosableDriver, ListingDriver, ProvisionedDriver } from "@sessions/core";
import { checkOptions, closing, openByUrl, readTimeout } from "@sessions/core/driver-tools";
import { type DynamodbDriverOptions, dynamodbDriver } from "./driver.ts";
import { loadSdk } from "./sdk.ts";

/** Options of `fromUrl`: those of `dynamodbDriver`, except `client`. */
export type DynamodbUrlOptions = Omit<DynamodbDriverOptions, "client">;

const FROM_URL = "dynamodbDriver fromUrl";

interface Target {
  readonly region: string | undefined;
  readonly endpoint: string | undefined;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  readonly table: string | undefined;
}

const REGION = /^[a-z]{2,}(-[a-z]+)+-\d+$/;
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** @throws TypeError, URIError or SessionConfigError for another kind of URL. */
function parse(url: string): Target {
  const { protocol, hostname, port, host, username, password, pathname, searchParams, hash } = new URL(url);
  const [region, endpoint] = [searchParams.get("region"), searchParams.get("endpoint")];
  checkOptions(FROM_URL, Object.fromEntries(searchParams), ["region", "endpoint"], "?");
  const named = port === "" && REGION.test(hostname);
  const table = /^\/?([\w.-]*)$/.exec(decodeURIComponent(pathname))?.[1];
  if (protocol !== "dynamodb:" || hash !== "" || table === undefined) throw new TypeError();
  if (!named && port === "") throw new TypeError();
  if (endpoint !== null && !/^https?:$/.test(new URL(endpoint).protocol)) throw new TypeError();
  if (region !== null && !REGION.test(region)) throw new TypeError();
  if ((username === "") !== (password === "")) throw new TypeError();
  const local = LOOPBACK.test(endpoint === null ? hostname : new URL(endpoint).hostname);
  const own = named ? undefined : `${local ? "http" : "https"}://${host}`;
  return {
    // DynamoDB Local takes any region and any key.
    region: region ?? (named ? hostname : local ? "us-east-1" : undefined),
    endpoint: endpoint ?? own,
    credentials:
      username !== ""
        ? { accessKeyId: decodeURIComponent(username), secretAccessKey: decodeURIComponent(password) }
        : local
          ? { accessKeyId: "local", secretAccessKey: "local" }
          : undefined,
    table: table === "" ? undefined : table,
  };
}

/**
 * Makes a client for a URL and returns a driver on it, whose `close()` destroys the client. The URL is
 * `dynamodb://eu-central-1/table`, or `dynamodb://[key:secret@]host:port/table?region=eu-central-1` for an endpoint of
 * its own (`http:` on the loopback, otherwise `https:`; `?endpoint=` names it in full). The table is the option
 * `table`, or the URL's, or `sessions`. Without a key, the SDK finds credentials as usual; on the loopback the driver
 * uses placeholders. It makes no request: until the service can be reached, calls reject with `DriverUnavailableError`.
 * {@link dynamodbDriver} takes a client of your own.
 *
 * @throws SessionConfigError for another kind of URL, which is not shown, and for bad options.
 * @example
 * import { createSessionManager } from "@sessions/core";
 * import { fromUrl } from "@sessions/driver-dynamodb";
 *
 * const driver = await fromUrl("dynamodb://eu-central-1/sessions");
 * const sessions = createSessionManager({ driver });
 */
export async function fromUrl(
  url: string,
  options: DynamodbUrlOptions = {},
): Promise<ListingDriver & ProvisionedDriver & ClosableDriver> {
  checkOptions(FROM_URL, options, ["table", "timeout", "onProgress"]);
  const connectionTimeout = readTimeout(options.timeout ?? "2s");
  const { region, endpoint, credentials, table } = openByUrl(
    "dynamodb://eu-central-1/sessions, or dynamodb://key:secret@host:8000/sessions?region=eu-central-1; its only other parameter is endpoint",
    () => parse(url),
  );
  const { DynamoDBClient } = await loadSdk();
  const client = new DynamoDBClient({
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials && { credentials }),
    requestHandler: { connectionTimeout },
  });
  const driver = dynamodbDriver({ ...(table !== undefined && { table }), ...options, client });
  return closing(driver, async () => client.destroy());
}
