import type { Client } from "@connectrpc/connect";
import { protoTimestamp, sensors } from "@devicemesh/proto";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import type { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { stored, storedDeviceId } from "./query-store.ts";

/** The kinds of queries, in the order of the table. */
const questionKinds = ["oneRow", "anyTimeframe", "full", "hour", "device"] as const;
export type QuestionKind = (typeof questionKinds)[number];

/** The kinds of calls: queries, and an RPC of the same server without any work. */
export const askedKinds = [...questionKinds, "empty"] as const;
export type AskedKind = (typeof askedKinds)[number];

/** Their descriptions. */
export const askedTexts: Readonly<Record<AskedKind, string>> = {
  oneRow: "one row: one series, one instant",
  anyTimeframe: "any timeframe: 1 s to all, all devices",
  full: "full range, all devices",
  hour: "a random hour, all devices",
  device: "full range, one device",
  empty: "an empty RPC of the same server",
};

/** A query, and the number of rows of its answer. */
export type Question = {
  readonly request: Parameters<Client<typeof QueryService>["getAggregates"]>[0];
  readonly rows: number;
};

/** Creates queries over readings that are stored through `throughMs`. Every bound is at any millisecond. */
export function createQuestions(options: {
  readonly throughMs: number;
  readonly random: () => number;
}): (kind: QuestionKind) => Question {
  const { throughMs, random } = options;
  const { sinceMs, stepMs } = stored;
  const spanMs = throughMs - sinceMs;
  const device = () => storedDeviceId(Math.floor(random() * stored.devices));

  function bySensor(fromMs: number, lengthMs: number): Question {
    return {
      request: { ...bounds(fromMs, fromMs + lengthMs), groupBy: GroupBy.SENSOR },
      rows: sensors.length,
    };
  }
  function somewhere(lengthMs: number): Question {
    return bySensor(sinceMs + Math.floor(random() * (spanMs - lengthMs)), lengthMs);
  }
  /** Nearly everything: up to ten seconds are cut off at both ends. */
  function ragged(): { since: number; to: number } {
    return { since: sinceMs + Math.floor(random() * 10_000), to: throughMs - Math.floor(random() * 10_000) };
  }

  return (kind) => {
    switch (kind) {
      case "oneRow": {
        const atMs = sinceMs + Math.floor((random() * spanMs) / stepMs) * stepMs;
        const sensor = sensors[Math.floor(random() * sensors.length)]!.sensor;
        return { request: { ...bounds(atMs, atMs + 1), deviceIds: [device()], sensors: [sensor] }, rows: 1 };
      }
      case "anyTimeframe":
        return somewhere(Math.floor(stepMs * (spanMs / stepMs) ** random()));
      case "hour":
        return somewhere(Math.min(3_600_000, Math.floor(spanMs / 2)));
      case "full": {
        const { since, to } = ragged();
        return bySensor(since, to - since);
      }
      case "device": {
        const { since, to } = ragged();
        return { request: { ...bounds(since, to), deviceIds: [device()] }, rows: sensors.length };
      }
    }
  };
}

function bounds(sinceMs: number, toMs: number): Pick<Question["request"], "since" | "to"> {
  return { since: protoTimestamp(sinceMs), to: protoTimestamp(toMs) };
}
