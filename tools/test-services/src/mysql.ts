import type { Missing, Started } from "./service.ts";

export async function startMysql(_address: string | undefined): Promise<Started | Missing> {
  return { missing: "not written yet" };
}
