import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { Client, credentials, Metadata } from "@grpc/grpc-js";

/** Field numbers of Spark Connect's messages, as far as a question in SQL and the count of its rows need them. */
const field = {
  request: { sessionId: 1, userContext: 2, plan: 3 },
  userContext: { userId: 1 },
  plan: { root: 1 },
  relation: { sql: 10 },
  sql: { query: 1 },
  response: { arrowBatch: 2 },
  arrowBatch: { rowCount: 1 },
} as const;

/**
 * For tests: asks Spark Connect at host:port a question in SQL and resolves with how many rows the answer has.
 * The mesh's own client knows streaming queries only.
 */
export async function sparkRowCount(address: string, token: string, query: string): Promise<number> {
  const client = new Client(address, credentials.createInsecure());
  const method = "/spark.connect.SparkConnectService/ExecutePlan";
  try {
    const metadata = new Metadata();
    metadata.set("authorization", `Bearer ${token}`);
    const options = { deadline: Date.now() + 120_000 };
    const call = client.makeServerStreamRequest(method, questionOf, rowsOf, query, metadata, options);
    let rows = 0;
    for await (const batch of call as AsyncIterable<number>) rows += batch;
    return rows;
  } finally {
    client.close();
  }
}

function questionOf(query: string): Buffer {
  const writer = new BinaryWriter();
  const inside = (number: number, write: () => void): void => {
    writer.tag(number, WireType.LengthDelimited).fork();
    write();
    writer.join();
  };
  const text = (number: number, value: string): void => {
    writer.tag(number, WireType.LengthDelimited).string(value);
  };
  text(field.request.sessionId, crypto.randomUUID());
  inside(field.request.userContext, () => text(field.userContext.userId, "images"));
  inside(field.request.plan, () =>
    inside(field.plan.root, () => inside(field.relation.sql, () => text(field.sql.query, query))),
  );
  return Buffer.from(writer.finish());
}

function rowsOf(response: Buffer): number {
  const batch = fieldOf(new BinaryReader(response), field.response.arrowBatch, (reader) => reader.bytes());
  if (batch === undefined) return 0;
  return Number(fieldOf(new BinaryReader(batch), field.arrowBatch.rowCount, (reader) => reader.int64()) ?? 0);
}

function fieldOf<T>(reader: BinaryReader, wanted: number, read: (reader: BinaryReader) => T): T | undefined {
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === wanted) return read(reader);
    reader.skip(wireType);
  }
  return undefined;
}
