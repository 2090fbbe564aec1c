import type {
  $Command,
  AttributeValue,
  DynamoDBClient,
  DynamoDBClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes,
} from "@aws-sdk/client-dynamodb";
import { createCall } from "@sessions/core/driver-tools";
import { isThrottled, translate } from "./errors.ts";
import { loadSdk, type Sdk } from "./sdk.ts";

/** The few members that the driver uses of a client of `@aws-sdk/client-dynamodb` or `@aws-sdk/lib-dynamodb`. */
export interface DynamoDBClientLike {
  /** Sends one command. */
  readonly send: DynamoDBClient["send"];
  /** The client's own settings, with the milliseconds by which the service's clock is ahead of this machine's. */
  readonly config: { readonly systemClockOffset?: number };
}

/** An item, as the client returns it. */
export type Item = Record<string, AttributeValue>;

/** The service's refusal of a request, where the caller expected it. */
export interface Refusal {
  /** The name of the service's error. */
  readonly refused: string;
  readonly message: string;
  /** The item that failed the condition, if the request asked for it. */
  readonly item: Item | undefined;
}

type Command<I extends ServiceInputTypes, O extends ServiceOutputTypes> = $Command<
  I,
  O,
  DynamoDBClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes
>;

/** Makes a command once the package is loaded: importing the driver does not load it. */
type Making<I extends ServiceInputTypes, O extends ServiceOutputTypes> = (sdk: Sdk) => Command<I, O>;

/** A table, and the ways to call the service for it. */
export interface Connection {
  readonly table: string;
  /** The driver's timeout, in milliseconds. */
  readonly timeout: number;
  /** Reads. The client may repeat it. @param left Milliseconds. @default left the driver's timeout */
  read<I extends ServiceInputTypes, O extends ServiceOutputTypes>(
    making: Making<I, O>,
    left?: number,
  ): Promise<O>;
  /** Writes once or not at all. Returns a refusal where the request's condition fails. */
  write<I extends ServiceInputTypes, O extends ServiceOutputTypes>(
    making: Making<I, O>,
  ): Promise<O | Refusal>;
  /**
   * Calls the service about the table. The client may repeat it. Returns a refusal for an error with an expected name.
   *
   * @param left Milliseconds. @default left half a minute
   */
  manage<I extends ServiceInputTypes, O extends ServiceOutputTypes>(
    making: Making<I, O>,
    expected: readonly string[],
    left?: number,
  ): Promise<O | Refusal>;
}

/** Calls about tables take the service longer than calls about items, and no user's request waits for them. */
const MANAGE_MS = 30_000;

/** Whether the service refused the request in a way that the caller expected. */
export const isRefusal = (answer: object): answer is Refusal => "refused" in answer;

/**
 * Keeps the client from repeating a command that the service may have executed: a compare-and-set would conflict with
 * itself, and an old text would overwrite a newer one. After a throttled try, the client's own retry strategy decides.
 *
 * @returns A function that takes the error that stopped the client, and returns the error behind it.
 */
function sendOnce<I extends ServiceInputTypes, O extends ServiceOutputTypes>({
  middlewareStack,
}: Command<I, O>): (error: unknown) => unknown {
  let fault: { readonly error: unknown } | undefined;
  const stopped = () =>
    // An error that no retry strategy knows, with the response: the signer corrects its clock by the response's date.
    Object.assign(new Error("dynamodb: not sent again"), {
      $response: Object(fault?.error).$response,
    });
  middlewareStack.add(
    (next) => async (args) => {
      // A retry strategy of the user's own may try again after any error.
      if (fault) throw stopped();
      try {
        return await next(args);
      } catch (error) {
        if (isThrottled(error)) throw error;
        fault = { error };
        throw stopped();
      }
    },
    { step: "finalizeRequest", priority: "low", name: "sessionsSendOnce" },
  );
  return (error) => fault?.error ?? error;
}

/**
 * Makes the calls for one table.
 *
 * @param timeout Milliseconds.
 */
export function createConnection(client: DynamoDBClientLike, table: string, timeout: number): Connection {
  const call = createCall({ driver: "dynamodb", timeout, translate });

  function within<T>(
    work: (sdk: Sdk, abortSignal: AbortSignal) => Promise<T>,
    left?: number,
    changes?: boolean,
  ): Promise<T> {
    return call(
      async (signal) => {
        const sdk = await loadSdk();
        // The caller is told that the call failed, so nothing more of it may happen.
        signal.throwIfAborted();
        return work(sdk, signal);
      },
      left,
      { changes },
    );
  }

  function toRefusal(error: unknown, expected: readonly string[]): Refusal {
    if (!(error instanceof Error) || !expected.includes(error.name)) throw error;
    const item: Item | undefined = "Item" in error ? Object(error.Item) : undefined;
    return { refused: error.name, message: error.message, item };
  }

  return {
    table,
    timeout,

    read: (making, left) => within((sdk, abortSignal) => client.send(making(sdk), { abortSignal }), left),

    write: (making) =>
      within(
        (sdk, abortSignal) => {
          const command = making(sdk);
          const behind = sendOnce(command);
          return client
            .send(command, { abortSignal })
            .catch((error: unknown) => toRefusal(behind(error), ["ConditionalCheckFailedException"]));
        },
        undefined,
        true,
      ),

    manage: (making, expected, left = MANAGE_MS) =>
      within(
        (sdk, abortSignal) =>
          client.send(making(sdk), { abortSignal }).catch((error: unknown) => toRefusal(error, expected)),
        left,
      ),
  };
}
