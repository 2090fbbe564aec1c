import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";

/** The little that the driver uses of a `DynamoDBClient` (or a `DynamoDB`) of `@aws-sdk/client-dynamodb`. */
export interface DynamoDBClientLike {
  /** Sends one command. */
  readonly send: DynamoDBClient["send"];
  /** The client's own: from it comes how far this machine's clock is from the service's. */
  readonly config: { readonly systemClockOffset?: number };
}
