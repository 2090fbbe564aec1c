import type { SessionOptions } from "@sessions/iron-session";
import { sessions } from "../../../../src/session.ts";

export interface Data {
  userId: string;
  first: string;
  second: string;
}

export const options: SessionOptions<Data> = { sessions, principal: ({ userId }) => userId };
