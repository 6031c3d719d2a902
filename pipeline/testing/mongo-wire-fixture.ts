import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { BSON, type Document } from "mongodb";

const opReply = 1;
const opQuery = 2004;
const opMsg = 2013;
const headerBytes = 16;

/** Answers a command; `state` is the connection's state between commands. */
export type CommandHandler<State> = (command: Document, state: State) => Document;

/** A server that implements the part of MongoDB's wire protocol that the driver needs for commands. */
export type WireServer = { readonly port: number; stop(): Promise<void> };

/** Starts one on 127.0.0.1; port 0 chooses a free one. */
export async function startWireServer<State>(
  port: number,
  handle: CommandHandler<State>,
  newState: () => State,
): Promise<WireServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    const state = newState();
    let received = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 4 && received.length >= received.readInt32LE(0)) {
        const message = received.subarray(0, received.readInt32LE(0));
        received = received.subarray(message.length);
        socket.write(answerTo(message, (command) => handle(command, state)));
      }
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function answerTo(message: Buffer, handle: (command: Document) => Document): Buffer {
  const requestId = message.readInt32LE(4);
  const opcode = message.readInt32LE(12);
  if (opcode === opMsg) {
    // Flags, then one body: the driver puts no document sequences into commands.
    const answer = handle(BSON.deserialize(message.subarray(headerBytes + 5)));
    return framed(opMsg, requestId, Buffer.concat([Buffer.alloc(5), BSON.serialize(answer)]));
  }
  if (opcode !== opQuery) throw new Error(`the fixture knows no opcode ${opcode}`);
  // The first hello of a connection: flags, name of the collection, two numbers, the command.
  const nameEnd = message.indexOf(0, headerBytes + 4);
  const answer = handle(BSON.deserialize(message.subarray(nameEnd + 9)));
  const head = Buffer.alloc(20);
  head.writeInt32LE(1, 16);
  return framed(opReply, requestId, Buffer.concat([head, BSON.serialize(answer)]));
}

function framed(opcode: number, responseTo: number, body: Buffer): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeInt32LE(headerBytes + body.length, 0);
  header.writeInt32LE(responseTo, 8);
  header.writeInt32LE(opcode, 12);
  return Buffer.concat([header, body]);
}
