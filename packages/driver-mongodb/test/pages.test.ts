import { runPage, withService } from "@sessions/driver-tests";
import mongoose from "mongoose";
import { onTestFinished, test } from "vitest";

await withService("mongodb", async ({ url }) => {
  test("what docs/clients/mongoose.md says works", async () => {
    onTestFinished(() => mongoose.disconnect());
    await runPage("mongoose", import.meta.url, { MONGODB_URL: url });
  });
});
