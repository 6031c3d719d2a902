import { type Document, Long } from "mongodb";
import { startWireServer, type WireServer } from "./mongo-wire-fixture.ts";

/** For tests: a MongoDB of one node on 127.0.0.1 that returns these documents for every query. */
export function startFakeMongo(
  port: number,
  documents: Readonly<Record<string, readonly Document[]>> = {},
): Promise<WireServer> {
  function answer(command: Document): Document {
    const [verb = "", collection] = Object.entries(command)[0] ?? [];
    if (/^(hello|ismaster)$/i.test(verb)) return hello();
    if (verb !== "find" && verb !== "aggregate") return { ok: 1, n: 0 };
    const firstBatch = documents[collection as string] ?? [];
    return { ok: 1, cursor: { id: Long.ZERO, ns: `${command.$db}.${collection}`, firstBatch } };
  }
  return startWireServer(port, answer, () => ({}));
}

function hello(): Document {
  return {
    ok: 1,
    isWritablePrimary: true,
    helloOk: true,
    localTime: new Date(),
    minWireVersion: 0,
    maxWireVersion: 27,
    logicalSessionTimeoutMinutes: 30,
    maxBsonObjectSize: 16_777_216,
    maxMessageSizeBytes: 48_000_000,
    maxWriteBatchSize: 100_000,
    readOnly: false,
  };
}
