import { unavailable } from "@devicemesh/kit/rpc/rpc-error";
import { type DeviceMessage, identityOf } from "@devicemesh/proto";
import type { Appended, MessageBatch, MessageLog } from "../src/log/message-log.ts";

/** Device ids that make an append of the memory log fail, for tests. */
export const memoryLogSentinels = {
  /** The append rejects with UNAVAILABLE, as if the log were unavailable. */
  unavailable: "sentinel:log-unavailable",
  /** The append rejects with a foreign error. */
  broken: "sentinel:log-broken",
} as const;

/** A log that keeps messages in memory, for tests: nothing survives the process. */
export type MemoryMessageLog = {
  readonly log: MessageLog;
  /** Every message in order of its append, including duplicates. */
  readonly messages: readonly DeviceMessage[];
  /** Number of appends that wait for `release`. */
  readonly held: number;
  /** The stored messages, in order: the first of each identity. */
  readAll(): readonly DeviceMessage[];
  /** From now on appends wait. */
  hold(): void;
  /** Lets waiting and later appends continue. */
  release(): void;
  /** From now on appends reject with UNAVAILABLE, including waiting ones. */
  close(): void;
};

/** Creates an empty log with a capacity of `messagesMax` messages; appends beyond it reject with UNAVAILABLE. */
export function createMemoryMessageLog({
  messagesMax = 10_000_000,
}: {
  readonly messagesMax?: number;
} = {}): MemoryMessageLog {
  const messages: DeviceMessage[] = [];
  const waiting = new Set<() => void>();
  let holding = false;
  let closed = false;

  const values = new Map<string, number>();

  function store(batch: MessageBatch): Appended {
    if (closed) throw rejection("the message log is closed");
    if (messages.length + batch.length > messagesMax) throw rejection("the message log is full");
    const added = messagesOf(batch);
    if (added.some(({ deviceId }) => deviceId === memoryLogSentinels.unavailable)) {
      throw rejection("the message log is unavailable");
    }
    if (added.some(({ deviceId }) => deviceId === memoryLogSentinels.broken)) {
      throw new Error("the memory log is set to break");
    }
    let duplicates = 0;
    let conflicts = 0;
    for (const message of added) {
      messages.push(message);
      const identity = identityOf(message);
      const first = values.get(identity);
      if (first === undefined) values.set(identity, message.value);
      else if (first === message.value) duplicates += 1;
      else conflicts += 1;
    }
    return { duplicates, conflicts };
  }

  function release(): void {
    holding = false;
    for (const go of waiting) go();
    waiting.clear();
  }

  return {
    log: {
      async append(batch) {
        if (holding && !closed) await new Promise<void>((resolve) => waiting.add(resolve));
        return store(batch);
      },
    },
    messages,
    get held() {
      return waiting.size;
    },
    readAll() {
      const first = new Map<string, DeviceMessage>();
      for (const message of messages) {
        const identity = identityOf(message);
        if (!first.has(identity)) first.set(identity, message);
      }
      return [...first.values()];
    },
    hold() {
      holding = true;
    },
    release,
    close() {
      closed = true;
      release();
    },
  };
}

/** The rows of a batch as messages. */
export function messagesOf(batch: MessageBatch): DeviceMessage[] {
  return Array.from({ length: batch.length }, (_, row) => ({
    deviceId: batch.deviceIds[row]!,
    timestampMs: batch.timestampsMs[row]!,
    sensor: batch.sensors[batch.sensorCodes[row]!]!.sensor,
    value: batch.values[row]!,
  }));
}

function rejection(message: string) {
  return unavailable({ message, retryDelayMs: 1000 });
}
