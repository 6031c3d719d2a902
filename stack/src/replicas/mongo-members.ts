import { MongoClient } from "mongodb";

const answerLimitMs = 5_000;

/** What a member of a replica set says of itself to any client, without a password. */
export type MemberHello = { readonly isWritablePrimary?: boolean; readonly secondary?: boolean };

/** Whether a member has the data and may vote for the next one to be stopped. */
export function isReady({ isWritablePrimary = false, secondary = false }: MemberHello): boolean {
  return isWritablePrimary || secondary;
}

/** The members that are neither primary nor secondary, or do not answer. */
export async function readUnreadyMembers(members: readonly string[]): Promise<readonly string[]> {
  const ready = await Promise.all(members.map(askMember));
  return members.filter((_, place) => !ready[place]);
}

async function askMember(member: string): Promise<boolean> {
  const client = new MongoClient(`mongodb://${member}/?directConnection=true`, {
    serverSelectionTimeoutMS: answerLimitMs,
    connectTimeoutMS: answerLimitMs,
  });
  try {
    return isReady(await client.db("admin").command({ hello: 1 }));
  } catch {
    return false;
  } finally {
    await client.close();
  }
}
