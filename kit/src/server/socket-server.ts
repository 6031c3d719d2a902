import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createAddressCounts } from "./address-counts.ts";
import type { ConnectionLimits } from "./connection-limits.ts";
import { asListenError } from "./port-in-use-error.ts";
import { createRunningServer, type RunningServer } from "./running-server.ts";

/** A peer that disappeared silently is detected after this time without traffic, and a few probes. */
const keepAliveDelayMs = 60_000;

/**
 * Listens and passes each socket to `accept`, which must not throw. Beyond `connectionsMax` a socket replaces the
 * oldest idle one; if there is none, and beyond `addressConnectionsMax`, it is closed at once. `drain` is called once
 * when `close` begins and no more sockets are accepted: it closes each socket as soon as it is idle; those still open
 * after the grace period are destroyed.
 * @throws PortInUseError, or any other error of listening.
 */
export async function startSocketServer(config: {
  readonly host: string;
  readonly port: number;
  readonly limits: Pick<
    ConnectionLimits,
    "connectionsMax" | "addressConnectionsMax" | "loopbackConnectionsMax"
  >;
  /** Whether the connection of a client is busy, by its `address:port`. */
  isBusy(peer: string): boolean;
  readonly shutdownGraceMs: number;
  accept(socket: Socket): void;
  drain(): void;
  /** Called for each broken connection. */
  onError(error: unknown): void;
}): Promise<RunningServer> {
  // The oldest first.
  const sockets = new Set<Socket>();
  const addresses = createAddressCounts(config.limits);
  const options = { noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveDelayMs };

  function admitOne(): boolean {
    if (sockets.size < config.limits.connectionsMax) return true;
    for (const socket of sockets) {
      if (config.isBusy(`${socket.remoteAddress}:${socket.remotePort}`)) continue;
      sockets.delete(socket);
      socket.destroy();
      return true;
    }
    return false;
  }

  const server = createServer(options, (socket) => {
    const leave = addresses.enter(socket.remoteAddress ?? "");
    if (leave === undefined || !admitOne()) {
      leave?.();
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.once("close", leave);
    socket.on("error", config.onError);
    socket.on("close", () => sockets.delete(socket));
    config.accept(socket);
  });
  const port = await listen(server, config);
  server.on("error", config.onError);

  return createRunningServer(port, async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    config.drain();
    const timer = setTimeout(() => {
      for (const socket of sockets) {
        socket.destroy();
      }
    }, config.shutdownGraceMs);
    await closed;
    clearTimeout(timer);
  });
}

async function listen(
  server: Server,
  address: { readonly host: string; readonly port: number },
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const onFailure = (error: Error): void => reject(asListenError(error, address));
    server.once("error", onFailure);
    server.listen({ host: address.host, port: address.port }, () => {
      server.off("error", onFailure);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}
