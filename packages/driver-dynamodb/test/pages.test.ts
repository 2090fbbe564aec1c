import { runPage, withService } from "@sessions/driver-tests";
import { onTestFinished, test } from "vitest";

await withService("dynamodb", async ({ url }) => {
  test("what docs/clients/dynamodb-document-client.md says works", async () => {
    const { client } = await runPage("dynamodb-document-client", import.meta.url, {
      AWS_ENDPOINT_URL_DYNAMODB: url.replace(/^dynamodb:/, "http:"),
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
    });
    onTestFinished(() => Object(client).destroy());
  });
});
