import { request } from "node:http";
import type { HostPort } from "./settings.ts";

/** A response of Envoy's admin interface. */
export type AdminAnswer = { readonly status: number; readonly body: string };

/** Envoy's admin interface. */
export type Admin = {
  get(path: string): Promise<AdminAnswer>;
  post(path: string): Promise<AdminAnswer>;
  /** Returns the addresses of its listeners, by name: with port 0 the system chose the port. */
  listenerAddresses(): Promise<ReadonlyMap<string, HostPort>>;
  /** Returns the number of calls in progress, except those on the metrics listener. */
  activeCalls(): Promise<number>;
};

const answerTimeoutMs = 5000;

/** Connects to the interface through a socket file. */
export function createAdmin(socketFile: string): Admin {
  function ask(method: "GET" | "POST", path: string): Promise<AdminAnswer> {
    return new Promise((resolve, reject) => {
      const asked = request({ socketPath: socketFile, method, path, agent: false }, (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          body += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
        response.on("error", reject);
      });
      asked.on("error", reject);
      asked.setTimeout(answerTimeoutMs, () => asked.destroy(new Error("Envoy's admin interface is silent")));
      asked.end();
    });
  }

  return {
    get: (path) => ask("GET", path),
    post: (path) => ask("POST", path),
    async listenerAddresses() {
      const { body } = await ask("GET", "/listeners?format=json");
      const { listener_statuses: listeners = [] } = JSON.parse(body) as ListenersAnswer;
      return new Map(
        listeners.map(({ name, local_address: { socket_address: at } }) => [
          name,
          { host: at.address, port: at.port_value },
        ]),
      );
    },
    async activeCalls() {
      const { body } = await ask(
        "GET",
        "/stats?filter=^http\\.(plain|public|devices)\\.downstream_rq_active$",
      );
      return [...body.matchAll(/: (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
    },
  };
}

type ListenersAnswer = {
  readonly listener_statuses?: readonly {
    readonly name: string;
    readonly local_address: {
      readonly socket_address: { readonly address: string; readonly port_value: number };
    };
  }[];
};
