import { describe, expect, it } from "vitest";
import { type ProfiledRun, type ProfilesResult, pathNames } from "./profiles-bench.ts";
import { profilesReport } from "./profiles-report.ts";

const commitNow = "a".repeat(40);
const commitBefore = "b".repeat(40);

function runOf(
  commit: string,
  cpuMs: number,
  stacks: readonly (readonly [frame: string, share: number])[],
): ProfiledRun {
  return {
    commit,
    units: 1000,
    profile: { cpuMs, stacks: stacks.map(([frame, share]) => ({ frames: [frame], weight: share * cpuMs })) },
  };
}

const now = runOf(commitNow, 2, [
  ["writeTime ingest/src/log/kafka/message-bytes.ts:48", 0.7],
  ["(garbage collector)", 0.2],
  ["main app.ts:1", 0.1],
]);
const before = runOf(commitBefore, 20, [
  ["encode kafkajs/src/protocol/encoder.js:1", 0.6],
  ["(garbage collector)", 0.37],
  ["send kafkajs/src/network/connection.js:300", 0.03],
]);

function resultOf(paths: ProfilesResult["paths"]): ProfilesResult {
  return {
    kind: "profiles",
    machine: { cpu: "a processor", cores: 2, memoryGib: 1, system: "", node: "", day: "2026-01-01" },
    load: { before: 0.1, during: { median: 1, minimum: 1, maximum: 2 } },
    readings: 10_000_000,
    paths,
  };
}

describe("a report of two commits", () => {
  const report = profilesReport(resultOf([{ name: "kafka", now, before }]));

  it("has the time a unit of each part, now and before", () => {
    expect(report.markdown).toContain(
      "| bytes of messages and batches | – | – | 1.40 | 70.0 |\n| garbage collection | 7.40 | 37.0 | 0.400 | 20.0 |",
    );
    expect(report.markdown).toContain("| requests to brokers | 0.600 | 3.0 | – | – |");
    expect(report.markdown).toContain("| **all** | **20.0** | **100** | **2.00** | **100** |");
  });

  it("states in a sentence what the time went to, without small parts", () => {
    expect(report.markdown).toMatch(
      /Before, the largest parts were encoding of requests by kafkajs \(60 %\) and garbage collection \(37 %\)\. .*decision 014.* Now the largest parts are bytes of messages and batches \(70 %\) and garbage collection \(20 %\); a reading costs 2\.00 µs instead of 20\.0\./,
    );
  });

  it("shows a flame graph of each, and how to repeat it", () => {
    expect(Object.keys(report.pictures ?? {})).toEqual(["profiles-kafka-before", "profiles-kafka"]);
    expect(report.pictures?.["profiles-kafka"]).toContain(
      "<title>writeTime ingest/src/log/kafka/message-bytes.ts:48: 70.0 %</title>",
    );
    expect(report.pictures?.["profiles-kafka-before"]).toContain("commit bbbbbbbb");
    expect(report.markdown).toContain("](profiles-kafka.svg)");
    expect(report.markdown).toContain("](profiles-kafka-before.svg)");
    expect(report.markdown).toContain("npm run bench -- profiles --before bbbbbbbb");
  });

  it("lists the hottest functions of both side by side", () => {
    expect(report.markdown).toContain(
      "| `encode kafkajs/src/protocol/encoder.js:1` | 60.0 | `writeTime ingest/src/log/kafka/message-bytes.ts:48` | 70.0 |",
    );
  });

  it("has figures, not samples, in its data", () => {
    expect(report.json).toMatchObject({
      paths: [{ name: "kafka", now: { microsPerUnit: 2 }, before: { microsPerUnit: 20 } }],
    });
    expect(JSON.stringify(report.json)).not.toContain("stacks");
  });
});

it("does not mention an earlier commit that was not profiled", () => {
  const report = profilesReport(resultOf(pathNames.map((name) => ({ name, now, before: undefined }))));
  expect(report.markdown).not.toMatch(/\bbefore\b(?!, )/i);
  expect(Object.keys(report.pictures ?? {})).toEqual(pathNames.map((name) => `profiles-${name}`));
  expect(report.markdown).toContain("| Part | µs a reading | % |");
});
