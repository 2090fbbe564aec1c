import { createSessionManager } from "@sessions/core";
import { createSessionStorage } from "@sessions/react-router";

interface Data {
  userId: string;
  root: number;
  page: number;
  form: string;
}

export const { getSession, commitSession, destroySession, sessionMiddleware } = createSessionStorage<
  Data,
  { message: string }
>(createSessionManager(), { principal: ({ userId }) => userId });
