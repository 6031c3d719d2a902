import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { asListenError } from "./port-in-use-error.ts";
import { createRunningServer, type RunningServer } from "./running-server.ts";

/** A peer that vanished without a word is noticed after this time without traffic, and some probes more. */
const keepAliveDelayMs = 60_000;

/**
 * Listens and hands each socket to `accept`, which must not throw. Sockets beyond `connectionsMax` are
 * closed at once. `drain` is called once when `close` begins, when nothing more is accepted: it lets each
 * socket go as soon as nothing runs on it; those still open after the grace are destroyed.
 * @throws PortInUseError, or what else kept it from listening.
 */
export async function startSocketServer(config: {
  readonly host: string;
  readonly port: number;
  readonly connectionsMax: number;
  readonly shutdownGraceMs: number;
  accept(socket: Socket): void;
  drain(): void;
  /** Told of each connection that broke. */
  onError(error: unknown): void;
}): Promise<RunningServer> {
  const sockets = new Set<Socket>();
  const options = { noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveDelayMs };
  const server = createServer(options, (socket) => {
    sockets.add(socket);
    socket.on("error", config.onError);
    socket.on("close", () => sockets.delete(socket));
    config.accept(socket);
  });
  server.maxConnections = config.connectionsMax;
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
