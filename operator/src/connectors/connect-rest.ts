import { setTimeout as delay } from "node:timers/promises";
import { withoutCredentials } from "@devicemesh/kit/observability/redact-credentials";

/** A task of a connector, as Kafka Connect reports it. */
export type ConnectorTask = { readonly id: number; readonly state: string; readonly trace?: string };

/** The state of a connector, as Kafka Connect reports it. */
export type ConnectorState = { readonly state: string; readonly tasks: readonly ConnectorTask[] };

/**
 * The part of Kafka Connect's REST interface that the operator uses. Each request is retried while the workers
 * rebalance. All functions reject with ConnectRestError or a network error; those that take a signal reject with its
 * reason when it aborts.
 */
export type ConnectRest = {
  /** Returns the version of the worker that answers. */
  readVersion(signal?: AbortSignal): Promise<unknown>;
  /** Returns the configuration of a connector; undefined if there is none of that name. */
  readConfig(name: string, signal?: AbortSignal): Promise<Readonly<Record<string, string>> | undefined>;
  /** Creates a connector, or changes its configuration. */
  writeConfig(name: string, config: Readonly<Record<string, string>>): Promise<void>;
  /** Returns the state of a connector and its tasks; undefined if there is none of that name. */
  readState(name: string, signal?: AbortSignal): Promise<ConnectorState | undefined>;
  /**
   * Requests a restart of the failed connector and tasks; resolves when the request is accepted, before the restart is
   * complete.
   */
  restartFailed(name: string, signal?: AbortSignal): Promise<void>;
  /** Requests a stop of the connector's tasks; resolves when the request is accepted, before the tasks have ended. */
  stop(name: string): Promise<void>;
  /** Starts the tasks of a stopped connector. */
  resume(name: string): Promise<void>;
  /** Deletes the committed offsets of a stopped connector; returns false if it has not stopped yet. */
  forgetOffsets(name: string): Promise<boolean>;
  /** Sets the offsets at which a stopped sink resumes, by partition; returns false if it has not stopped yet. */
  moveOffsets(name: string, topic: string, offsets: ReadonlyMap<number, number>): Promise<boolean>;
  /** Removes a connector; has no effect if there is none. */
  remove(name: string): Promise<void>;
};

/** An error response of Kafka Connect. */
export class ConnectRestError extends Error {
  readonly status: number;

  constructor(request: string, status: number, text: string) {
    // A worker that rejects a configuration may quote the secret that it substituted for the name of a file.
    super(`Kafka Connect answered ${request} with ${status}: ${withoutCredentials(text).slice(0, 500)}`);
    this.name = "ConnectRestError";
    this.status = status;
  }
}

const notFound = 404;
const rebalancePollMs = 250;
/**
 * The tasks of the connector still run: the response is a bad request, or an error of the consumer group that is not
 * empty.
 */
const notStoppedYet: readonly number[] = [400, 409, 500];

/** Connects to Kafka Connect at that address (`http://host:port`). */
export function createConnectRest(options: {
  readonly url: string;
  /** Time limit of one request, in ms. */
  readonly timeoutMs?: number;
  /** Time limit of the retries while the workers rebalance, in ms. */
  readonly rebalanceMs?: number;
}): ConnectRest {
  const { url, timeoutMs = 10_000, rebalanceMs = 30_000 } = options;

  async function request(
    method: string,
    path: string,
    { body, signal }: { readonly body?: unknown; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<unknown> {
    const deadlineMs = performance.now() + rebalanceMs;
    for (;;) {
      const response = await fetch(`${url.replace(/\/$/, "")}${path}`, {
        method,
        signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]),
        ...(body !== undefined && {
          body: JSON.stringify(body),
          headers: { "content-type": "application/json" },
        }),
      }).catch((cause: unknown) => {
        signal?.throwIfAborted();
        throw new Error(`Kafka Connect cannot be reached at ${url}`, { cause });
      });
      const text = await response.text();
      if (response.status === notFound) return undefined;
      if (response.ok) return text === "" ? {} : JSON.parse(text);
      const rebalancing = isRebalancing(response.status, text) && performance.now() < deadlineMs;
      if (!rebalancing) throw new ConnectRestError(`${method} ${path}`, response.status, text);
      await delay(rebalancePollMs, undefined, { signal });
    }
  }

  /** Returns false if the connector has not stopped yet. */
  async function changeOffsets(method: string, name: string, body?: unknown): Promise<boolean> {
    try {
      await request(method, `${pathOf(name)}/offsets`, { body });
      return true;
    } catch (error) {
      if (error instanceof ConnectRestError && notStoppedYet.includes(error.status)) return false;
      throw error;
    }
  }

  return {
    readVersion: (signal) => request("GET", "/", { signal }),
    readConfig: async (name, signal) =>
      (await request("GET", `${pathOf(name)}/config`, { signal })) as
        | Readonly<Record<string, string>>
        | undefined,
    async writeConfig(name, config) {
      await request("PUT", `${pathOf(name)}/config`, { body: config });
    },
    async readState(name, signal) {
      const status = (await request("GET", `${pathOf(name)}/status`, { signal })) as
        | { readonly connector: { readonly state: string }; readonly tasks: readonly ConnectorTask[] }
        | undefined;
      return status && { state: status.connector.state, tasks: status.tasks };
    },
    async restartFailed(name, signal) {
      await request("POST", `${pathOf(name)}/restart?includeTasks=true&onlyFailed=true`, { signal });
    },
    async stop(name) {
      await request("PUT", `${pathOf(name)}/stop`);
    },
    async resume(name) {
      await request("PUT", `${pathOf(name)}/resume`);
    },
    forgetOffsets: (name) => changeOffsets("DELETE", name),
    moveOffsets: (name, topic, offsets) =>
      changeOffsets("PATCH", name, {
        offsets: [...offsets].map(([partition, offset]) => ({
          partition: { kafka_topic: topic, kafka_partition: partition },
          offset: { kafka_offset: offset },
        })),
      }),
    async remove(name) {
      await request("DELETE", pathOf(name));
    },
  };
}

/** Workers report a rebalance with 409, and for some requests with 500 and the same text. */
function isRebalancing(status: number, text: string): boolean {
  return status === 409 ? !/stopped|offsets/i.test(text) : status === 500 && /rebalance/i.test(text);
}

function pathOf(name: string): string {
  return `/connectors/${encodeURIComponent(name)}`;
}
