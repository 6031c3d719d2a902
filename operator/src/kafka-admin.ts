import type { Admin, Kafka } from "kafkajs";

/** Asks Kafka something. Rejects if no broker can be reached, or what `ask` rejects with. */
export type WithAdmin = <Result>(ask: (admin: Admin) => Promise<Result>) => Promise<Result>;

/** Kafka's administrative requests over one connection, which is made anew after anything failed on it. */
export function createAdminAccess(kafka: Kafka): AsyncDisposable & { readonly use: WithAdmin } {
  let connected: Promise<Admin> | undefined;

  async function connect(): Promise<Admin> {
    const admin = kafka.admin();
    try {
      await admin.connect();
      return admin;
    } catch (error) {
      await admin.disconnect().catch(() => {});
      throw error;
    }
  }

  async function drop(used: Promise<Admin>): Promise<void> {
    if (connected === used) connected = undefined;
    const admin = await used.catch(() => undefined);
    await admin?.disconnect().catch(() => {});
  }

  return {
    async use(ask) {
      connected ??= connect();
      const used = connected;
      try {
        return await ask(await used);
      } catch (error) {
        await drop(used);
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      if (connected) await drop(connected);
    },
  };
}
