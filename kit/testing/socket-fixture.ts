import { once } from "node:events";
import { type AddressInfo, connect, type Server, type Socket } from "node:net";

/** For tests: lets a server listen on a port that the system chooses, on this machine only. */
export async function listenAnywhere(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** For tests: a connected socket that sends each write at once and ignores its errors. */
export async function connectTo(port: number): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  await once(socket, "connect");
  return socket.on("error", () => {});
}

/** For tests: everything that a socket sends until it is closed. */
export async function readToClose(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  if (!socket.closed) {
    await once(socket, "close");
  }
  return Buffer.concat(chunks).toString("latin1");
}
