import { exchange } from "./socket-exchange.ts";

const opMsg = 2013;

/**
 * Checks whether a MongoDB server accepts writes.
 * @throws Error if it does not answer in `limitMs`.
 */
export async function takesWrites(options: {
  readonly host: string;
  readonly port: number;
  readonly limitMs: number;
}): Promise<boolean> {
  const answer = await exchange({
    ...options,
    request: helloRequest(),
    answerBytes: (begun) => (begun.length < 4 ? undefined : begun.readInt32LE(0)),
  });
  return isTrue(answer, "isWritablePrimary") && isOne(answer, "ok");
}

/** `{ hello: 1, $db: "admin" }` as an OP_MSG with one body section. */
function helloRequest(): Buffer {
  const elements = Buffer.concat([
    Buffer.from("\x10hello\0\x01\0\0\0", "latin1"),
    Buffer.from("\x02$db\0\x06\0\0\0admin\0", "latin1"),
    Buffer.from([0]),
  ]);
  const document = Buffer.concat([int32(elements.length + 4), elements]);
  const body = Buffer.concat([int32(0), Buffer.from([0]), document]);
  return Buffer.concat([int32(16 + body.length), int32(1), int32(0), int32(opMsg), body]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function isTrue(answer: Buffer, field: string): boolean {
  return answer.includes(Buffer.from(`\x08${field}\0\x01`, "latin1"));
}

function isOne(answer: Buffer, field: string): boolean {
  const asDouble = Buffer.alloc(8);
  asDouble.writeDoubleLE(1);
  return answer.includes(Buffer.concat([Buffer.from(`\x01${field}\0`, "latin1"), asDouble]));
}
