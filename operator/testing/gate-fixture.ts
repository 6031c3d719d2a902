import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A TCP gate before a server. While it is shut, the server appears unavailable. */
export type GateFixture = AsyncDisposable & {
  /** The host:port to connect to instead of the server. */
  readonly address: string;
  /** Cuts every connection and accepts no new one. */
  shut(): void;
  /** Lets connections through again. */
  open(): void;
};

/** Opens a gate before the server at that host:port. */
export async function openGate(target: string): Promise<GateFixture> {
  const { hostname, port } = new URL(`tcp://${target}`);
  const sockets = new Set<Socket>();
  let isShut = false;
  const server = createServer((inner) => {
    if (isShut) return void inner.destroy();
    const outer = connect(Number(port), hostname);
    for (const [socket, other] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const shut = (): void => {
    isShut = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    shut,
    open() {
      isShut = false;
    },
    async [Symbol.asyncDispose]() {
      shut();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
