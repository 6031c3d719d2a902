import type { Client } from "@connectrpc/connect";
import type { DeviceMessage } from "@devicemesh/proto";
import type { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import fc from "fast-check";
import { describe, it } from "vitest";
import { ask } from "./ask.ts";
import { timeOf, timeText } from "./differences.ts";
import { type Bound, createOracle, type Oracle, type Question } from "./oracle.ts";
import { type CallPlan, questionOf, questionPlans } from "./questions.ts";
import { readingText } from "./reading-text.ts";
import { everyCall, manyReadings, plainReading, type Step, sentAgain, steps } from "./steps.ts";
import { readingOf } from "./streams.ts";

/** An engine under test: its log, its folding and its QueryService, empty at first. */
export type ExactAnswersEngine = {
  /** Appends to the engine's real log, in order; resolves when answers count it. */
  publish(readings: readonly DeviceMessage[]): Promise<unknown>;
  /** Folds as far as the engine can by its clock. */
  fold(): Promise<void>;
  /** Moves the log's clock forwards, if the engine's clock can be moved. */
  advance?(ms: number): void;
  /** The log's clock, ms since 1970. */
  nowMs(): number;
  readonly query: Client<typeof QueryService>;
  /** The names that queries of all devices use, if devices of other engines are in the same store. */
  deviceIds?(): readonly string[];
  close(): Promise<void>;
};

export type ExactAnswersOptions = {
  /** Number of random streams; 40 by default. Each opens a separate engine. */
  readonly runs?: number;
  /** The seed of a failed run; random by default. */
  readonly seed?: number;
  /** The path of a failed run, to run its last case only. */
  readonly path?: string;
  /** The size of the finest windows in ms; 10,000 by default. */
  readonly windowMs?: number;
  /** Time limit of all random streams, in ms; 120,000 by default. */
  readonly timeoutMs?: number;
  /** Number of series in the large case; 5000 by default. */
  readonly manySeries?: number;
};

/**
 * The suite that any engine must pass: adversarial streams with folding in between, and every field of
 * GetAggregates, ListBuckets, ListReadings and the exports compared with brute force. A failure prints a reproduction.
 */
export function describeExactAnswers(
  name: string,
  open: () => Promise<ExactAnswersEngine>,
  options: ExactAnswersOptions = {},
): void {
  const { runs = 40, seed, path, timeoutMs = 120_000, manySeries = 5000, windowMs = 10_000 } = options;

  describe(`exact answers: ${name}`, () => {
    it("equal brute force for random streams, queries and folding", {
      timeout: timeoutMs + 60_000,
    }, async () => {
      const details = await fc.check(
        fc.asyncProperty(
          fc.array(steps(), { minLength: 1, maxLength: 10 }),
          fc.array(questionPlans(), { minLength: 4, maxLength: 8 }),
          (stream, last) => runAll(open, windowMs, [...stream, { kind: "ask", questions: last }]),
        ),
        {
          numRuns: runs,
          ...(seed !== undefined && { seed }),
          ...(path !== undefined && { path }),
          interruptAfterTimeLimit: timeoutMs,
          markInterruptAsFailure: true,
        },
      );
      if (!details.failed) return;
      const error = details.errorInstance;
      const what = error instanceof Error ? error.message : `not ${runs} runs within ${timeoutMs} ms`;
      throw new Error(
        `seed ${details.seed}, path ${details.counterexamplePath ?? "-"}, ${details.numShrinks} times simplified\n${what}`,
        { cause: error },
      );
    });

    it("are empty for an empty store", () => runAll(open, windowMs, [{ kind: "fold" }, everyCall()]));

    it("are exact for one reading, before and after it is folded", () =>
      runAll(open, windowMs, [
        { kind: "publish", readings: [plainReading] },
        everyCall(),
        { kind: "advance", ms: 2 * 86_400_000 },
        { kind: "fold" },
        everyCall(),
      ]));

    it("are exact if everything is sent again, before and after it is folded", () => {
      const fold: readonly Step[] = [
        { kind: "advance", ms: 25_000 },
        { kind: "fold" },
        everyCall(),
        { kind: "fold" },
        everyCall(),
      ];
      const again: Step = { kind: "publish", readings: manyReadings.map(sentAgain) };
      return runAll(open, windowMs, [
        { kind: "publish", readings: manyReadings },
        ...fold,
        again,
        everyCall(),
        ...fold,
        { kind: "advance", ms: 2 * 86_400_000 },
        ...fold,
        again,
        ...fold,
      ]);
    });

    it(`are exact for ${manySeries} series`, { timeout: timeoutMs }, () =>
      run(open, windowMs, async (stage) => {
        const nowMs = stage.engine.nowMs();
        const series = Array.from(
          { length: manySeries },
          (_, place): DeviceMessage => ({
            deviceId: `device-${place}`,
            sensor: place % 2 === 0 ? "temperature" : "humidity",
            timestampMs: nowMs - (place % 977) * 1009,
            value: (place * 7919) % 100,
          }),
        );
        await stage.publish(series.slice(0, manySeries / 2));
        stage.advance(700_000);
        await stage.fold();
        await stage.publish(series.slice(manySeries / 2));
        const everything = { deviceIds: [], sensors: [] };
        for (const grouping of ["series", "sensor", "device"] as const) {
          await stage.ask(everything, { kind: "aggregates", grouping });
        }
        const temperature = { deviceIds: [], sensors: ["temperature"] };
        await stage.ask(temperature, { kind: "aggregates", grouping: "all" });
        await stage.ask(
          { ...temperature, since: { ms: nowMs - 500_003, nanos: 0 } },
          {
            kind: "buckets",
            grouping: "sensor",
            resolution: { kind: "maxPoints", points: 50 },
            fill: "null",
          },
        );
        await stage.ask(temperature, { kind: "readings", newestFirst: true, pageSize: 1000 });
        await stage.ask(everything, { kind: "exports", grouping: "series", windows: 6 });
      }),
    );
  });
}

/** An engine and an oracle with the same input and queries; a difference throws with everything that led to it. */
type Stage = {
  readonly engine: ExactAnswersEngine;
  readonly sent: readonly DeviceMessage[];
  publish(readings: readonly DeviceMessage[]): Promise<void>;
  fold(): Promise<void>;
  advance(ms: number): void;
  ask(question: Question, call: CallPlan): Promise<void>;
};

function runAll(
  open: () => Promise<ExactAnswersEngine>,
  windowMs: number,
  stream: readonly Step[],
): Promise<void> {
  return run(open, windowMs, async (stage) => {
    for (const step of stream) await runStep(stage, step);
  });
}

async function runStep(stage: Stage, step: Step): Promise<void> {
  const nowMs = stage.engine.nowMs();
  switch (step.kind) {
    case "publish": {
      const batch: DeviceMessage[] = [];
      for (const plan of step.readings) {
        const reading = readingOf(plan, nowMs, [...stage.sent, ...batch]);
        if (reading) batch.push(reading);
      }
      return stage.publish(batch);
    }
    case "fold":
      return stage.fold();
    case "advance":
      return stage.advance(step.ms);
    case "advanceToBorder":
      return stage.advance(step.sizeMs - (nowMs % step.sizeMs));
    case "ask": {
      const known = stage.sent.map(({ timestampMs }) => timestampMs);
      for (const plan of step.questions) await stage.ask(questionOf(plan, nowMs, known), plan.call);
    }
  }
}

async function run(
  open: () => Promise<ExactAnswersEngine>,
  windowMs: number,
  act: (stage: Stage) => Promise<void>,
): Promise<void> {
  const engine = await open();
  const oracle: Oracle = createOracle();
  const sent: DeviceMessage[] = [];
  const story: string[] = [];
  const stage: Stage = {
    engine,
    sent,
    async publish(readings) {
      story.push(
        `${timeText(engine.nowMs())} publish ${readings.length}:`,
        ...readings.slice(0, 200).map((reading) => `  ${readingText(reading)}`),
      );
      await engine.publish(readings);
      oracle.accept(readings);
      sent.push(...readings);
    },
    async fold() {
      story.push(`${timeText(engine.nowMs())} fold`);
      await engine.fold();
    },
    advance(ms) {
      if (!engine.advance) return;
      story.push(`${timeText(engine.nowMs())} advance ${ms} ms`);
      engine.advance(ms);
    },
    async ask(asking, call) {
      const names = asking.deviceIds.length === 0 ? engine.deviceIds?.() : undefined;
      // With fill, devices that are requested by name are listed even without readings.
      const question = names === undefined ? asking : { ...asking, deviceIds: names };
      const asked = `${timeText(engine.nowMs())} ask ${questionText(question, call)}`;
      // An export has everything that arrived before its horizon, which is at most the current time.
      if (call.kind === "exports" && engine.advance) {
        engine.advance(1);
        await engine.publish([]);
      }
      const exam = { query: engine.query, oracle, windowMs, askedMs: engine.nowMs() };
      const differences = await ask(exam, question, call).catch((error: unknown) => [
        `failed: ${error instanceof Error ? error.message : String(error)}`,
      ]);
      if (differences.length > 0) {
        throw new Error([...story, asked, ...differences.slice(0, 20).map((line) => `  ${line}`)].join("\n"));
      }
    },
  };
  try {
    await act(stage);
  } finally {
    await engine.close();
  }
}

function questionText({ deviceIds, sensors, since, to }: Question, call: CallPlan): string {
  const bound = (at: Bound | undefined): string =>
    at === undefined
      ? "unset"
      : timeOf({ seconds: BigInt(Math.floor(at.ms / 1000)), nanos: (at.ms % 1000) * 1_000_000 + at.nanos });
  return [
    `device_ids ${JSON.stringify(deviceIds)}`,
    `sensors ${JSON.stringify(sensors)}`,
    `since ${bound(since)}`,
    `to ${bound(to)}`,
    JSON.stringify(call),
  ].join(", ");
}
