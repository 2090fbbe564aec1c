import { type PrismaClient as Client, prismaClass } from "./prisma.ts";

/** What the pages import from `./generated/prisma/client.js`. */
export const PrismaClient: new (options: { adapter: object }) => Client = prismaClass("mysql");
