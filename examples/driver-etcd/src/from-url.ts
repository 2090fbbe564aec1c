import { type FromUrl, openByUrl, readUrl } from "@sessions/core/driver-tools";
import { etcdClient } from "./client.ts";
import { type EtcdDriverOptions, etcdDriver } from "./index.ts";

/**
 * Returns a driver for `etcd://host:2379`, or with TLS for `etcd://host:2379?tls=true`.
 *
 * @throws SessionConfigError for another kind of URL, which is not shown.
 */
export const fromUrl: FromUrl<Omit<EtcdDriverOptions, "client">> = (url, options = {}) => {
  const rules = { where: "etcdDriver fromUrl", schemes: ["etcd"], options: ["prefix", "timeout"] };
  const client = openByUrl("etcd://host:2379", () => {
    const { hostname, port, username, searchParams } = readUrl(url, rules);
    if (hostname === "" || username !== "") throw new TypeError("Another URL");
    return etcdClient(`http${searchParams.get("tls") === "true" ? "s" : ""}://${hostname}:${port || 2379}`);
  });
  return etcdDriver({ ...options, client });
};
