import { MongoClient } from "mongodb";

const answerLimitMs = 5_000;

/** The state that a member of a replica set reports without authentication. */
export type MemberHello = { readonly isWritablePrimary?: boolean; readonly secondary?: boolean };

/** Whether a member has the data and may vote, so that the next one can be stopped. */
export function isReady({ isWritablePrimary = false, secondary = false }: MemberHello): boolean {
  return isWritablePrimary || secondary;
}

/** Returns the members that are neither primary nor secondary, or do not answer. */
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
