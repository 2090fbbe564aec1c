// A site's own process: serves what its arguments name, tells its parent what it has used, and ends when it is told to.
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
// A parent that is gone cannot say it.
process.on("disconnect", () => process.exit());
tell({ address: server.address() });
