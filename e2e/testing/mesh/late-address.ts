import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { freePorts } from "@devicemesh/engines/plans/free-ports";

/** An address without a server until it appears; from then on it forwards to a server. */
export type LateAddress = AsyncDisposable & {
  /** host:port. */
  readonly address: string;
  appear(): Promise<void>;
};

/** Reserves a port in front of the server at `target` (host:port). */
export async function lateAddress(target: string): Promise<LateAddress> {
  const { hostname, port: targetPort } = new URL(`tcp://${target}`);
  const [port = 0] = await freePorts(1);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(targetPort), hostname);
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
  return {
    address: `127.0.0.1:${port}`,
    async appear() {
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, "close");
    },
  };
}
