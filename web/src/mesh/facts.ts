import { signal } from "@preact/signals";
import type { Calls } from "../server/calls.ts";

/** The server's properties, for commands. */
export type Facts = {
  readonly data: string;
  readonly dataKind: string;
  /** Whether calls need a token. */
  readonly signIn: boolean;
  /** Whether the server can load the recording of a year. */
  readonly sampleYear: boolean;
  /** Whether the server accepts recordings. */
  readonly imports: boolean;
  readonly calls: Calls;
};

export const facts = signal<Facts | undefined>(undefined);

/** Reads the facts once; without them, commands name the address of the page. */
export async function readFacts(): Promise<void> {
  try {
    const response = await fetch("/facts.json");
    if (response.ok) facts.value = (await response.json()) as Facts;
  } catch {
    // The status shows that the server does not answer.
  }
}

/** Returns the addresses and flags of commands. */
export function calls(): Calls {
  const { host, protocol } = location;
  const plain = "-plaintext";
  return (
    facts.value?.calls ?? {
      scheme: protocol === "https:" ? "https" : "http",
      ...{ query: host, ingest: host, generator: host, curlFlags: "" },
      ...{ queryFlags: plain, ingestFlags: plain, generatorFlags: plain },
    }
  );
}
