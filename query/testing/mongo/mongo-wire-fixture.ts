import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { BSON, type Document } from "mongodb";

/** For tests: a server that implements MongoDB's wire protocol, and answers or holds each command on request. */
export type MongoWire = AsyncDisposable & {
  readonly url: string;
  /** The received commands, without those by which the driver monitors its connection. */
  readonly commands: readonly Document[];
};

/** Commands of the driver itself. */
const ownCommands = new Set(["hello", "ismaster", "isMaster", "ping", "endSessions"]);
const opMsg = 2013;
const opReply = 1;
const headerBytes = 16;

/** Starts a server. A command for which `answer` returns nothing is never answered. */
export async function startMongoWire(
  answer: (command: Document) => Document | undefined,
): Promise<MongoWire> {
  const commands: Document[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    let rest = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= headerBytes && rest.length >= rest.readInt32LE(0)) {
        const message = rest.subarray(0, rest.readInt32LE(0));
        rest = rest.subarray(message.length);
        take(socket, message);
      }
    });
  });

  function take(socket: Socket, message: Buffer): void {
    const [requestId, code] = [message.readInt32LE(4), message.readInt32LE(12)];
    // A legacy query is the handshake: flags, the name of a collection, two numbers, then the command.
    const bodyAt = code === opMsg ? headerBytes + 5 : message.indexOf(0, headerBytes + 4) + 9;
    const command = BSON.deserialize(message.subarray(bodyAt, bodyAt + message.readInt32LE(bodyAt)));
    const name = Object.keys(command)[0] ?? "";
    const isOwn = ownCommands.has(name);
    if (!isOwn) commands.push(command);
    const reply = isOwn ? hello() : answer(command);
    if (reply) socket.write(replyOf(requestId, code, { ok: 1, ...reply }));
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `mongodb://127.0.0.1:${(server.address() as AddressInfo).port}/?directConnection=true`,
    commands,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function hello(): Document {
  return {
    helloOk: true,
    isWritablePrimary: true,
    setName: "wire",
    hosts: ["127.0.0.1:1"],
    me: "127.0.0.1:1",
    maxBsonObjectSize: 16 * 1024 ** 2,
    maxMessageSizeBytes: 48_000_000,
    maxWriteBatchSize: 100_000,
    logicalSessionTimeoutMinutes: 30,
    minWireVersion: 0,
    maxWireVersion: 25,
  };
}

function replyOf(responseTo: number, code: number, document: Document): Buffer {
  const body = BSON.serialize(document);
  // The flags, then a section of one document; or flags, cursor, place and count of an old reply.
  const before = Buffer.alloc(code === opMsg ? 5 : 20);
  if (code !== opMsg) before.writeInt32LE(1, 16);
  const header = Buffer.alloc(headerBytes);
  header.writeInt32LE(headerBytes + before.length + body.length, 0);
  header.writeInt32LE(responseTo, 8);
  header.writeInt32LE(code === opMsg ? opMsg : opReply, 12);
  return Buffer.concat([header, before, body]);
}
