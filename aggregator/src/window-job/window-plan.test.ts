import { describe, expect, it } from "vitest";
import type { Relation, StreamingQuery } from "../spark/spark-relations.ts";
import { checkpointIdentity, type WindowPlanMeaning, windowPlan } from "./window-plan.ts";

const meaning: WindowPlanMeaning = {
  topic: "m",
  outputTopic: "w",
  partitions: 3,
  windowMs: 10_000,
  segmentMs: 5000,
};

function planned(changes: Partial<Parameters<typeof windowPlan>[0]> = {}): StreamingQuery {
  return windowPlan({
    ...meaning,
    brokers: ["a:9092", "b:9092"],
    checkpointLocation: "/checkpoints/x",
    queryName: "q",
    sinceMs: 30_000,
    startingOffsets: new Map([[1, 7]]),
    watermarkDelayMs: 2000,
    maxOffsetsPerTrigger: 100,
    triggerMs: 1000,
    ...changes,
  });
}

/** The relation and all its inputs. */
function relationsOf(relation: Relation | undefined): Relation[] {
  if (!relation) return [];
  const value = relation.relType.value as { input?: Relation; leftInput?: Relation; rightInput?: Relation };
  return [relation, ...[value.input, value.leftInput, value.rightInput].flatMap(relationsOf)];
}

function optionsOf(relation: Relation): Readonly<Record<string, string>> {
  const { relType } = relation;
  return relType.case === "read" ? (relType.value.readType.value?.options ?? {}) : {};
}

describe("the plan of windows", () => {
  const relations = relationsOf(planned().input);
  const ofKind = (kind: Relation["relType"]["case"]) =>
    relations.filter(({ relType }) => relType.case === kind);

  it("has a source and a watermark for each partition", () => {
    expect(ofKind("read").map((read) => optionsOf(read).assign)).toEqual([
      '{"m":[0]}',
      '{"m":[1]}',
      '{"m":[2]}',
    ]);
    expect(ofKind("withWatermark").map(({ relType }) => relType.value)).toMatchObject(
      Array.from({ length: 3 }, () => ({ eventTime: "arrived", delayThreshold: "2000 milliseconds" })),
    );
  });

  it("begins at the given offsets, or at the earliest", () => {
    expect(ofKind("read").map((read) => optionsOf(read).startingOffsets)).toEqual([
      '{"m":{"0":-2}}',
      '{"m":{"1":7}}',
      '{"m":{"2":-2}}',
    ]);
  });

  it("polls many records at a time", () => {
    for (const read of ofKind("read")) {
      expect(optionsOf(read)).toMatchObject({ "kafka.max.poll.records": "20000" });
    }
  });

  it("applies the given connection options at every source and at the sink", () => {
    const kafkaOptions = { "security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512" };
    const expected = { "kafka.security.protocol": "SASL_SSL", "kafka.sasl.mechanism": "SCRAM-SHA-512" };
    const protectedPlan = planned({ kafkaOptions });
    expect(protectedPlan.options).toMatchObject(expected);
    const reads = relationsOf(protectedPlan.input).filter(({ relType }) => relType.case === "read");
    expect(reads).toHaveLength(3);
    for (const read of reads) expect(optionsOf(read)).toMatchObject(expected);
  });

  it("is in append mode to the topic of partials, acknowledged by all", () => {
    expect(planned()).toMatchObject({
      format: "kafka",
      outputMode: "append",
      options: {
        topic: "w",
        "kafka.acks": "all",
        "kafka.bootstrap.servers": "a:9092,b:9092",
        checkpointLocation: "/checkpoints/x",
      },
      trigger: { case: "processingTimeInterval", value: "1000 milliseconds" },
    });
  });
});

describe("the identity of a checkpoint", () => {
  it.each([
    ["topic", { topic: "m2" }],
    ["output topic", { outputTopic: "w2" }],
    ["partitions", { partitions: 4 }],
    ["windows", { windowMs: 20_000 }],
    ["segments", { segmentMs: 10_000 }],
  ])("changes with the %s", (_, change) => {
    expect(checkpointIdentity({ ...meaning, ...change })).not.toBe(checkpointIdentity(meaning));
  });

  it("stays the same as long as the plan does, so that a new checkpoint continues after the stored partials", () => {
    expect(checkpointIdentity(meaning)).toMatchInlineSnapshot(`"62657807a53484ee"`);
  });
});
