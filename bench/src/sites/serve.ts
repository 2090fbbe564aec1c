// A site's own process. It serves the site that its arguments name, reports its processor time, and ends on request.
import { once } from "node:events";
import process from "node:process";
import type { Keeping } from "../sites.ts";
import type { OpenSite } from "./routes.ts";

const [module = "", keeping, url = ""] = process.argv.slice(2);
const { open }: { open: OpenSite } = await import(`./${module}.ts`);
const { server, close } = await open({ keeping: keeping as Keeping, url });
server.listen(0, "127.0.0.1");
await once(server, "listening");

const tell = (message: object): void => void process.send?.(message);
process.on("message", async (asked) => {
  if (asked === "cpu") tell({ cpu: process.cpuUsage() });
  if (asked === "close") {
    server.close();
    server.closeAllConnections();
    await close();
    process.disconnect();
    process.exit();
  }
});
// A parent that has ended cannot request it.
process.on("disconnect", () => process.exit());
tell({ address: server.address() });
