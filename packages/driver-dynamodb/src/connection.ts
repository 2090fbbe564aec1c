import type {
  $Command,
  AttributeValue,
  DynamoDBClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes,
} from "@aws-sdk/client-dynamodb";
import {
  SessionConfigError,
  type SessionError,
  SessionSetupError,
  SessionTooLargeError,
} from "@sessions/core";
import { createCall } from "@sessions/core/driver-tools";
import type { DynamoDBClientLike } from "./client.ts";
import { loadSdk, type Sdk } from "./sdk.ts";

/** An item, as the client has it. */
export type Item = Record<string, AttributeValue>;

/** What the service said no to, where the caller expected that it might. */
export interface Refusal {
  /** The name of the service's error. */
  readonly refused: string;
  readonly message: string;
  /** The item that was in the way, where the request asked for it. */
  readonly item: Item | undefined;
}

type Command<I extends ServiceInputTypes, O extends ServiceOutputTypes> = $Command<
  I,
  O,
  DynamoDBClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes
>;

/** A command to come: whoever only imports the driver, or gives it no work, need not wait for the package. */
type Making<I extends ServiceInputTypes, O extends ServiceOutputTypes> = (sdk: Sdk) => Command<I, O>;

/** The ways in which the driver asks the service. */
export interface Requests {
  /** The client may send it again. `left` is how long it may take, where that is not the driver's timeout. */
  read<I extends ServiceInputTypes, O extends ServiceOutputTypes>(
    making: Making<I, O>,
    left?: number,
  ): Promise<O>;
  /** Done once or not at all. That the condition does not hold is an answer. */
  write<I extends ServiceInputTypes, O extends ServiceOutputTypes>(
    making: Making<I, O>,
  ): Promise<O | Refusal>;
  /**
   * What concerns tables, and may be sent again. Errors with the names that are expected are an answer. `left` is how long
   * it may take, where that is not half a minute.
   */
  manage<I extends ServiceInputTypes, O extends ServiceOutputTypes>(
    making: Making<I, O>,
    expected: readonly string[],
    left?: number,
  ): Promise<O | Refusal>;
}

/** It takes the service longer than what concerns items, and no request of a user waits for it. */
const MANAGE_MS = 30_000;

export const isRefusal = (answer: object): answer is Refusal => "refused" in answer;

/** Refused before anything was written; whether to try again is for the client's own retry strategy. */
const THROTTLED = [
  "ThrottlingException",
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "ThrottledException",
  "Throttling",
];

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : "");

function translate(error: unknown): SessionError | undefined {
  const name = nameOf(error);
  if (Object(error).code === "ERR_MODULE_NOT_FOUND")
    return new SessionConfigError(
      "dynamodb: needs the package @aws-sdk/client-dynamodb, which cannot be found: install it",
      { cause: error },
    );
  if (name === "ResourceNotFoundException")
    return new SessionSetupError(
      "dynamodb: the table is missing, or not ready: call sessions.setup(), or driver.setup() where there is no manager",
      { cause: error },
    );
  if (name !== "ValidationException" || !(error instanceof Error)) return undefined;
  if (/item size/i.test(error.message))
    return new SessionTooLargeError("dynamodb: an item holds 400 KB at most; nothing was changed", {
      cause: error,
    });
  return new SessionSetupError(
    "dynamodb: the table refuses the request; check() names what is wrong with it",
    {
      cause: error,
    },
  );
}

/**
 * The client repeats calls by itself, those too that may have been done: a compare-and-set would conflict with itself,
 * and an old text overwrite a newer one. What goes on after a throttled attempt is the client's affair.
 *
 * @returns what finds the error behind the one that stopped the client.
 */
function sendOnce<I extends ServiceInputTypes, O extends ServiceOutputTypes>({
  middlewareStack,
}: Command<I, O>): (error: unknown) => unknown {
  let fault: { readonly error: unknown } | undefined;
  const stopped = () =>
    // One that no retry strategy knows. The signer reads the response's date: it learns how far its clock is off.
    Object.assign(new Error("dynamodb: not sent again"), {
      $response: Object(fault?.error).$response,
    });
  middlewareStack.add(
    (next) => async (args) => {
      // A strategy of the user's own may try again whatever it is told.
      if (fault) throw stopped();
      try {
        return await next(args);
      } catch (error) {
        if (THROTTLED.includes(nameOf(error))) throw error;
        fault = { error };
        throw stopped();
      }
    },
    { step: "finalizeRequest", priority: "low", name: "sessionsSendOnce" },
  );
  return (error) => fault?.error ?? error;
}

/** Makes the functions through which the driver asks the service. */
export function createRequests(client: DynamoDBClientLike, timeout: number): Requests {
  const call = createCall({ driver: "dynamodb", timeout, translate });

  function ending<T>(work: (sdk: Sdk, abortSignal: AbortSignal) => Promise<T>, left?: number): Promise<T> {
    const controller = new AbortController();
    const { signal } = controller;
    return call(
      async () => {
        const sdk = await loadSdk();
        signal.throwIfAborted();
        return work(sdk, signal);
      },
      left,
      // The caller is told that it failed: nothing of it may happen from here on.
      () => controller.abort(),
    );
  }

  function refusal(error: unknown, expected: readonly string[]): Refusal {
    if (!(error instanceof Error) || !expected.includes(error.name)) throw error;
    const item: Item | undefined = "Item" in error ? Object(error.Item) : undefined;
    return { refused: error.name, message: error.message, item };
  }

  return {
    read: (making, left) => ending((sdk, abortSignal) => client.send(making(sdk), { abortSignal }), left),

    write: (making) =>
      ending((sdk, abortSignal) => {
        const command = making(sdk);
        const behind = sendOnce(command);
        return client
          .send(command, { abortSignal })
          .catch((error: unknown) => refusal(behind(error), ["ConditionalCheckFailedException"]));
      }),

    manage: (making, expected, left = MANAGE_MS) =>
      ending(
        (sdk, abortSignal) =>
          client.send(making(sdk), { abortSignal }).catch((error: unknown) => refusal(error, expected)),
        left,
      ),
  };
}
