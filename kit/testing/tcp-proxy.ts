import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** For tests: a TCP proxy on this machine in front of a server. */
export type TcpProxy = AsyncDisposable & {
  /** Listens on a port, on a free one by default. Resolves with the port. */
  listen(port?: number): Promise<number>;
  /** Ends all connections, and every new one, until `restore`. */
  cut(): void;
  restore(): void;
};

/** For tests: creates a proxy that does not listen yet. */
export function createTcpProxy(target: { readonly hostname: string; readonly port: number }): TcpProxy {
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    if (isCut) return near.destroy();
    const far = connect(target.port, target.hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  const destroySockets = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    async listen(port = 0) {
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
      return (server.address() as AddressInfo).port;
    },
    cut() {
      isCut = true;
      destroySockets();
    },
    restore() {
      isCut = false;
    },
    async [Symbol.asyncDispose]() {
      destroySockets();
      if (!server.listening) return;
      server.close();
      await once(server, "close");
    },
  };
}
