import { prismaClass } from "./prisma.ts";

/** What the pages import from `./generated/prisma/client.js`. */
export const PrismaClient = prismaClass("mysql");
