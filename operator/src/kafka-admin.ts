import type { Socket } from "node:net";
import { namedKafkaError } from "@devicemesh/pipeline/kafka-security-error";
import type { Admin, Kafka } from "kafkajs";

/**
 * Sends a request to Kafka. Rejects if no broker can be reached (KafkaSecurityError if TLS or SASL is the cause),
 * with the error of `ask`, or with the reason of `signal`; then nothing of the request keeps running.
 */
export type WithAdmin = <Result>(
  ask: (admin: Admin) => Promise<Result>,
  signal?: AbortSignal,
) => Promise<Result>;

/** A connection, whether it is being closed, and the function that ends its requests. */
type Access = { readonly admin: Promise<Admin>; isConnected: boolean; isClosing: boolean; cut(): void };

/**
 * Sends administrative requests to Kafka over one connection, which is replaced after any request on it failed or was
 * cancelled. A request that fails because another one ended the connection is retried once, so requests must be safe to
 * repeat. `openKafka` must create a client that reports its connections.
 */
export function createAdminAccess(
  openKafka: (onSocket: (socket: Socket) => void) => Kafka,
): AsyncDisposable & { readonly use: WithAdmin } {
  let current: Access | undefined;
  let isDisposed = false;

  function open(): Access {
    const sockets = new Set<Socket>();
    let isCut = false;
    // An error, because closing a connection alone leaves its requests to their time limits.
    const cutError = new Error("the request was cancelled");
    const kafka = openKafka((socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      if (isCut) socket.destroy(cutError);
    });
    const admin = connect(kafka.admin());
    const access: Access = {
      admin,
      isConnected: false,
      isClosing: false,
      cut() {
        isCut = true;
        for (const socket of sockets) socket.destroy(cutError);
      },
    };
    const connected = (): void => {
      access.isConnected = true;
    };
    admin.then(connected, () => {});
    return access;
  }

  function forget(access: Access): void {
    access.isClosing = true;
    if (current === access) current = undefined;
  }

  async function drop(access: Access): Promise<void> {
    forget(access);
    const admin = await access.admin.catch(() => undefined);
    await admin?.disconnect().catch(() => {});
  }

  async function askOver<Result>(
    access: Access,
    ask: (admin: Admin) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> {
    const cancelled = Promise.withResolvers<never>();
    cancelled.promise.catch(() => {});
    const onAbort = (): void => {
      cancelled.reject(signal?.reason);
      forget(access);
      access.cut();
      void drop(access);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([access.admin.then(ask), cancelled.promise]);
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  return {
    async use(ask, signal) {
      for (let isRepeated = false; ; isRepeated = true) {
        signal?.throwIfAborted();
        current ??= open();
        const access = current;
        try {
          return await askOver(access, ask, signal);
        } catch (error) {
          if (signal?.aborted) throw error;
          // The connection was closed for another request: this one has not failed by itself.
          if (access.isClosing && !isDisposed && !isRepeated) continue;
          await drop(access);
          throw error;
        }
      }
    },
    async [Symbol.asyncDispose]() {
      isDisposed = true;
      const access = current;
      if (!access) return;
      const { isConnected } = access;
      const dropped = drop(access);
      // A client that is still connecting has nothing to end, and would continue for seconds.
      if (!isConnected) return access.cut();
      await dropped;
    },
  };
}

async function connect(admin: Admin): Promise<Admin> {
  try {
    await admin.connect();
    return admin;
  } catch (error) {
    await admin.disconnect().catch(() => {});
    throw namedKafkaError(error);
  }
}
