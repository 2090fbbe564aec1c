/** What the driver asks of etcd: one transaction of the JSON gateway, `/v3/kv/txn`. Keys and values are base64. */
export interface TxnRequest {
  readonly compare?: readonly Compare[];
  readonly success: readonly Operation[];
  readonly failure?: readonly Operation[];
}

/** A condition on one key. */
export type Compare = { readonly key: string } & (
  | { readonly target: "MOD"; readonly result: "EQUAL"; readonly mod_revision: string }
  | { readonly target: "VERSION"; readonly result: "EQUAL"; readonly version: string }
  | { readonly target: "VALUE"; readonly result: "GREATER"; readonly value: string }
);

/** One step of a transaction. */
export type Operation =
  | {
      readonly request_range: {
        readonly key: string;
        readonly range_end?: string;
        readonly limit?: number;
      };
    }
  | { readonly request_put: { readonly key: string; readonly value: string } }
  | { readonly request_delete_range: { readonly key: string; readonly range_end?: string } }
  | { readonly request_txn: TxnRequest };

/** A key that etcd returned. Properties that are empty, 0 or false are missing. */
export interface KeyValue {
  readonly key: string;
  /** The revision that changed it last. */
  readonly mod_revision: string;
  /** How often it was put since it was made: 1 and up. */
  readonly version: string;
  readonly value?: string;
}

/** The result of a transaction, with one response for each of its operations. */
export interface TxnResponse {
  readonly succeeded?: boolean;
  readonly responses?: readonly {
    readonly response_range?: { readonly kvs?: readonly KeyValue[] };
    readonly response_txn?: TxnResponse;
  }[];
}

/** What the driver needs of a client of etcd. Write your own for a login, or for several endpoints. */
export interface EtcdClientLike {
  /** Runs a transaction once, and never repeats it. `signal` ends it. Rejects with etcd's own message. */
  txn(request: TxnRequest, signal: AbortSignal): Promise<TxnResponse>;
}

/** Makes a client for `http://host:2379` or `https://host:2379`. It holds nothing that has to be closed. */
export function etcdClient(url: string): EtcdClientLike {
  const address = new URL("/v3/kv/txn", url);
  return {
    async txn(request, signal) {
      const response = await fetch(address, { method: "POST", body: JSON.stringify(request), signal });
      const body: unknown = await response.json().catch(() => {
        // The parser's own message would show a piece of the body.
        throw new Error("etcd sent no JSON");
      });
      if (!response.ok) throw new Error(String(Object(body).message ?? response.status));
      return Object(body);
    },
  };
}
