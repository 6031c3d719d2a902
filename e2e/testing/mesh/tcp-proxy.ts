import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A TCP proxy in front of a server, with the faults of networks. */
export type TcpProxy = AsyncDisposable & {
  /** host:port of the proxy. */
  readonly address: string;
  /** Breaks all connections and refuses new ones. */
  cut(): void;
  /**
   * Forwards nothing, silently: new connections are accepted without a peer, like behind a firewall that drops packets.
   */
  stall(): void;
  /** Forwards again. Data sent over a stalled connection arrives, like after a retransmission of TCP. */
  restore(): void;
};

/** Opens a proxy for host:port on a free port of this machine. */
export async function openTcpProxy(target: string): Promise<TcpProxy> {
  const [host, port] = target.split(":");
  const sockets = new Set<Socket>();
  let state: "works" | "cut" | "stalled" = "works";

  const server = createServer((near) => {
    if (state === "cut") return void near.destroy();
    const far = connect(Number(port), host);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on("data", (chunk) => {
        if (!other.write(chunk)) one.pause();
      });
      other.on("drain", () => {
        if (state !== "stalled") one.resume();
      });
      one.on("end", () => other.end());
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
      if (state === "stalled") one.pause();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      state = "cut";
      for (const socket of sockets) socket.destroy();
    },
    stall() {
      state = "stalled";
      for (const socket of sockets) socket.pause();
    },
    restore() {
      state = "works";
      for (const socket of sockets) socket.resume();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
