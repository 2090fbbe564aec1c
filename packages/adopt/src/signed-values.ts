import { isNonEmpty } from "@sessions/adopting";
import { cookieValues } from "@sessions/core/adapter-tools";
import { checkOption } from "@sessions/core/driver-tools";
import Keygrip from "keygrip";
import { fits } from "./old-data.ts";

/** An instance of [keygrip](https://github.com/crypto-utils/keygrip), for keys with another algorithm than SHA-1. */
export interface KeygripLike {
  /** Returns whether one of the keys made the signature. */
  verify(data: string, signature: string): boolean;
}

/** The keys with which the other library signed its cookies: a list, newest first, or a keygrip. */
export type Keys = readonly string[] | KeygripLike;

const isList = (keys: Keys): keys is readonly string[] => Array.isArray(keys);

/** Makes the function that returns the cookies of one name whose second cookie, `<name>.sig`, signs them. */
export function createSignedValues(name: string, keys: Keys): (cookieHeader: string | undefined) => string[] {
  const isRight = isList(keys)
    ? keys.length > 0 && keys.every(isNonEmpty)
    : typeof Object(keys).verify === "function";
  checkOption(isRight, "keys", "a list of non-empty strings, or a keygrip", typeof keys);
  const keygrip: KeygripLike = isList(keys) ? new Keygrip([...keys]) : keys;
  return (cookieHeader) => {
    const signatures = cookieValues(cookieHeader, `${name}.sig`);
    return cookieValues(cookieHeader, name).filter(
      (value) => fits(value) && signatures.some((signature) => keygrip.verify(`${name}=${value}`, signature)),
    );
  };
}

/** Reads what cookie-session and koa-session write. */
export const fromBase64 = (value: string): unknown =>
  JSON.parse(Buffer.from(value, "base64").toString("utf8"));
