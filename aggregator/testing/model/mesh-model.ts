import { alignUp } from "@devicemesh/proto";
import {
  aimedAt,
  type FrontierState,
  movedTo,
  proposedFrontier,
  reachedFrontier,
} from "../../src/levels/frontier.ts";
import type { Tick } from "../../src/log/ticks.ts";
import { answerOf, type ModelAnswer } from "./answer-model.ts";
import { createDatabaseModel, type ModelDeadLetter } from "./database-model.ts";
import {
  type ConsumerModel,
  createLogModel,
  createSparkModel,
  type ModelPartial,
  type ModelRecord,
  maybeCommit,
  modelSizes,
} from "./engines-model.ts";
import { createLateAppendModel } from "./late-append-model.ts";
import { anyTimeframe, type ModelHorizon, places } from "./model-questions.ts";
import { createModelRandom } from "./model-random.ts";
import type { LeftOut, ModelRun } from "./model-rules.ts";
import { figuresText, isExact, sumOf } from "./pending-model.ts";
import { createIngestModel, createRetentionModel, modelLimits } from "./retention-model.ts";
import { createTickModel } from "./tick-model.ts";

/** The start of time in the model, a multiple of every size. */
const startMs = Date.UTC(2026, 0, 1);
const everywhere = Number.POSITIVE_INFINITY;

/**
 * Runs a random schedule of all possible events, and compares every answer with brute force. The decisions come from
 * the real code: ticks, frontier, folds, repairs, plan.
 */
export function runMeshModel(options: {
  readonly seed: number;
  readonly leftOut?: LeftOut | undefined;
  readonly steps?: number;
}): ModelRun {
  const { seed, leftOut, steps = 1500 } = options;
  const random = createModelRandom(seed);
  const partitions = random.between(1, 4);
  const delayMs = random.pick([0, 0, 1, 3]);
  const devices = random.between(1, 6);
  // Without expiry, a horizon may be of any age.
  const isExpiring = seed % 2 === 1;
  const hasSteps = seed % 5 < 2;
  const leadMs = seed % 7 < 3 ? random.between(1, 6) : 0;
  let nowMs = startMs;

  const log = createLogModel(partitions);
  const sent: NonNullable<ModelRecord["reading"]>[] = [];
  const messageSink: ConsumerModel[] = log.records.map(() => ({ position: 0, committed: 0 }));
  const deadLetters: ModelDeadLetter[] = [];
  const deadLetterReader: ConsumerModel = { position: 0, committed: 0 };
  const partials: ModelPartial[] = [];
  const windowSink: ConsumerModel = { position: 0, committed: 0 };
  const database = createDatabaseModel(devices);
  const spark = createSparkModel({
    records: log.records,
    random,
    delayMs,
    leadMs,
    isFastestDeciding: leftOut === "maxwm",
    topic: partials,
  });
  let completeThroughMs = 0;
  let frontier: FrontierState = { frontierMs: 0 };
  const ticks = createTickModel({ partitions, leadMs, random, newestMs: log.newestMs });
  const { provenMs } = ticks;
  const checking = { records: log.records, database, random, leftOut, leadMs, provenMs };
  const lateAppends = createLateAppendModel(checking);
  const retention = createRetentionModel({ random, leftOut });
  const ingest = createIngestModel({ retention, random });
  const held: ModelHorizon[] = [];

  function send(): void {
    for (let count = random.between(1, 4); count > 0; count--) {
      let reading = random.next() < 0.25 ? repeated() : undefined;
      if (!reading) {
        const offMs = random.pick([0, 0, 0, -random.between(0, 300), random.between(0, 200)]);
        const device = random.between(0, devices - 1);
        reading = { device, timestampMs: nowMs + offMs, value: random.between(0, 50) };
        sent.push(reading);
      }
      ingest.take(reading, nowMs);
    }
  }

  function append(): void {
    for (const reading of ingest.due(nowMs)) {
      const partition = reading.device % partitions;
      // A tick sees each step back: one that ends before the next tick is beyond what is promised.
      if (log.append(partition, nowMs, reading).isBehind) ticks.add([log.append(partition, nowMs)]);
    }
  }

  function repeated(): ModelRecord["reading"] {
    if (sent.length === 0) return undefined;
    const reading = random.next() < 0.5 ? random.pick(sent) : (sent.at(-1) as (typeof sent)[number]);
    return random.next() < 0.4 ? { ...reading, value: random.between(0, 50) } : reading;
  }

  function tick(): void {
    const round: Tick[] = [];
    for (let partition = 0; partition < partitions; partition++) {
      const appended = log.append(partition, nowMs);
      // The acknowledgement may be lost.
      if (random.next() > 0.05) round.push(appended);
    }
    ticks.add(round);
  }

  function storeMessages(): void {
    const partition = random.between(0, partitions - 1);
    const sink = messageSink[partition] as ConsumerModel;
    for (let count = random.between(1, 12); count > 0; count--) {
      const record = log.records[partition]?.[sink.position];
      if (!record) break;
      const offset = sink.position++;
      if (!record.reading) continue;
      const { arrivedMs, newestMs } = record;
      const reading = { ...record.reading, arrivedMs, newestMs, offset };
      if (!database.insert(reading)) deadLetters.push(reading);
    }
    maybeCommit(sink, random, 0.4);
    // A user replays the topic.
    if (random.next() < 0.004) sink.position = sink.committed = 0;
  }

  function readDeadLetters(): void {
    for (let count = random.between(1, 8); count > 0; count--) {
      const letter = deadLetters[deadLetterReader.position];
      if (!letter) break;
      deadLetterReader.position++;
      database.mark(letter, { isRedeliveryMarked: leftOut === "redeliver" });
    }
    maybeCommit(deadLetterReader, random, 0.6);
  }

  function storePartials(): void {
    for (let count = random.between(1, 10); count > 0; count--) {
      const partial = partials[windowSink.position];
      if (!partial) break;
      windowSink.position++;
      database.replace(partial);
    }
    maybeCommit(windowSink, random, 0.5);
    if (random.next() < 0.01) windowSink.position = 0;
  }

  function moveFrontier(): void {
    const committed = new Map(
      messageSink.map((sink, partition) => [partition, leftOut === "noraw" ? everywhere : sink.committed]),
    );
    lateAppends.step(committed, frontier.frontierMs);
    const observation = {
      watermarkMs: lateAppends.watermarkMs(committed),
      completeThroughMs: ticks.completeThroughMs(committed, lateAppends.released),
    };
    completeThroughMs = Math.max(completeThroughMs, observation.completeThroughMs ?? 0);
    const toMs = proposedFrontier(frontier, observation, modelSizes.segmentMs);
    if (toMs !== undefined) {
      frontier = aimedAt(frontier, toMs, places(partials.length, deadLetters.length));
      return;
    }
    const windows = leftOut === "nosink" ? everywhere : windowSink.committed;
    const letters = leftOut === "nodlq" ? everywhere : deadLetterReader.committed;
    const reachedMs = reachedFrontier(frontier, places(windows, letters));
    if (reachedMs !== undefined) frontier = movedTo(frontier, reachedMs);
  }

  function aggregate(): void {
    moveFrontier();
    const { frontierMs } = frontier;
    // Some are folded by an older aggregator at first, which leaves the coarse level impure.
    if (seed % 3 > 0 || nowMs > startMs + 400) {
      const sinceMs = alignUp(frontierMs, modelSizes.coarseMs);
      database.startPure(leftOut === "purestart" ? 0 : sinceMs);
    }
    if (random.next() < 0.5) {
      for (let folds = random.between(1, 3); folds > 0; folds--) {
        database.foldOnce(frontierMs, {
          hasCrash: random.next() < 0.1,
          isImpure: leftOut === "purefold",
          rawKeptSinceMs: () => (leftOut === "purekept" ? 0 : retention.marks.rawMs),
        });
      }
    }
    if (random.next() < 0.5) {
      database.repair(random.between(0, devices - 1), {
        frontierMs,
        windowsMax: random.between(1, 4),
        rawKeptSinceMs: leftOut === "norepairmark" ? 0 : retention.marks.rawMs,
      });
    }
    const isAnew = random.next() < (hasSteps ? 0.06 : 0.01);
    if (isAnew) lateAppends.startAnew(frontierMs, spark.startAnew(frontierMs));
    // Another aggregator takes over: it knows only what is published.
    if (random.next() < 0.03) {
      frontier = { frontierMs };
      ticks.takeOver();
      lateAppends.takeOver();
    }
  }

  /** A time without faults, in which every backlog is processed. */
  function settle(): void {
    for (let round = 0; round < 60; round++) {
      nowMs += 1;
      append();
      tick();
      lateAppends.see(spark.runBatch());
      for (let round = 0; round < 2 * partitions; round++) storeMessages();
      for (let round = 0; round < 4; round++) storePartials();
      readDeadLetters();
      moveFrontier();
    }
  }

  function operate(): void {
    if (random.next() < 0.06) retention.restart();
    const deletion = retention.step(nowMs, [frontier.frontierMs, database.coarseFrontierMs]);
    if (deletion) database.deleteExpired(deletion);
  }

  function ask(): { readonly answer: ModelAnswer; readonly wrong: string | undefined } {
    const frontiersNow = [frontier.frontierMs, database.coarseFrontierMs];
    const { coarsePureSinceMs: pureNow } = database;
    const current = {
      frontiersMs: frontiersNow,
      coarsePureSinceMs: pureNow,
      marks: retention.marks,
      coverage: { completeThroughMs, checked: lateAppends.checked },
      atMs: nowMs,
    };
    held.push(current);
    const oldestMs = isExpiring ? nowMs - modelLimits.horizonMs : 0;
    const usable = held.slice(-6).filter(({ atMs }) => atMs >= oldestMs);
    const { frontiersMs, coarsePureSinceMs, marks, coverage } =
      random.next() < 0.5 ? current : random.pick(usable);
    const device = random.between(0, devices - 1);
    const { sinceMs, toMs } = anyTimeframe(random, { startMs, nowMs });
    const answer = answerOf(
      database.storeOf(device),
      { sinceMs, toMs, frontiersMs, coarsePureSinceMs, marks },
      leftOut,
    );
    const readings = database.everStored({ device, sinceMs, toMs, except: answer.notCovered });
    const isRight = isExact(answer, readings, { coverage, partition: device % partitions });
    const [given, wanted] = [answer, sumOf(readings)].map(figuresText);
    const span = `[+${sinceMs - startMs}, +${toMs - startMs}) of device ${device}`;
    const frontiers = frontiersMs.map((ms) => (ms === 0 ? "none" : `+${ms - startMs}`)).join(", ");
    return {
      answer,
      wrong: isRight
        ? undefined
        : `seed ${seed}, now +${nowMs - startMs}, frontiers ${frontiers}: ${span} gives ${given}, not ${wanted}`,
    };
  }

  const counts = { answers: 0, fromCoarse: 0, fromDirty: 0, fromRepaired: 0, notCovered: 0 };
  let wrong: string | undefined;
  for (let step = 0; step < steps && wrong === undefined; step++) {
    nowMs += random.pick([0, 0, 1, 1, 2]);
    if (hasSteps && random.next() < 0.03) ticks.add([log.stepClock(nowMs, random)]);
    append();
    const chance = random.next();
    if (chance < 0.28) send();
    else if (isExpiring && chance < 0.303) settle();
    else if (isExpiring && chance < 0.325) operate();
    else if (chance < 0.45) tick();
    else if (chance < 0.6) storeMessages();
    else if (chance < 0.68) readDeadLetters();
    else if (chance < 0.82) lateAppends.see(spark.runBatch());
    else if (chance < 0.9) storePartials();
    else if (chance < 0.95) aggregate();
    else {
      const asked = ask();
      wrong = asked.wrong;
      counts.answers++;
      counts.fromCoarse += Number(asked.answer.isFromCoarse);
      counts.fromDirty += Number(asked.answer.isFromDirty);
      counts.fromRepaired += Number(asked.answer.isFromRepaired);
      counts.notCovered += Number(asked.answer.notCovered.length > 0);
    }
  }
  return {
    ...counts,
    wrong,
    rejected: ingest.rejected,
    dropped: spark.dropped,
    hasSteps,
    hasLead: leadMs > 0,
    hasMoved: frontier.frontierMs > 0,
  };
}
