import { setTimeout as delay, setImmediate as nextIteration } from "node:timers/promises";
import type { Publisher } from "@devicemesh/identity";
import { invalidArgument, type RpcError, resourceExhausted } from "@devicemesh/kit/rpc/rpc-error";
import { frameBytesMax, frameReadingsMax } from "@devicemesh/proto";
import type { PublishReadingsResponse } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import type { RefusedReading } from "@devicemesh/proto/tsproto/devicemesh/v1/refused_reading.ts";
import type { AdmitOlder, AdmitSeries, CheckedFrame, ReadingChecks } from "../checks/reading-checks.ts";
import type { IngestCounters } from "../counters.ts";
import type { IngestConfig } from "../limits.ts";
import type { Appended, MessageBatch } from "../log/message-log.ts";
import type { FrameDecoder } from "../wire/frame-decoder.ts";
import {
  type AppendAdmission,
  type CallSignal,
  type OpenCalls,
  onCallAbort,
  throwIfAborted,
} from "./admission.ts";

/** The dependencies of both methods, over every protocol. */
export type PublishDependencies = {
  readonly calls: OpenCalls;
  readonly intake: FrameIntake;
  readonly admission: AppendAdmission;
  readonly config: IngestConfig;
};

/** The result of a committed unit. */
export type UnitResult = {
  readonly response: PublishReadingsResponse;
  /** Number of readings that broke each rule, by its id. */
  readonly refusedByRule: ReadonlyMap<string, number>;
};

const untilCancelWouldBeKnown = createCancelWait();

/** How a call is answered. */
export type CallAnswer =
  | { readonly kind: "response"; readonly response: PublishReadingsResponse }
  /** `requestId` names the call in the log, if the caller receives less than the log. */
  | { readonly kind: "error"; readonly error: unknown; readonly requestId?: string | undefined }
  | { readonly kind: "abandoned" };

/** A commit unit whose frames arrive one after the other. */
export type OpenUnit = {
  /**
   * Takes the next frame. Returns nothing if the one after it may follow at once, or a promise that resolves when it
   * may.
   * @throws RpcError, or rejects with one: see FrameIntake and UnitAppends.
   */
  add(frame: Buffer): Promise<void> | undefined;
  /** The client has ended its stream: resolves when all accepted readings are durably stored. */
  end(): Promise<UnitResult>;
};

/** PublishReadings, frame by frame: a stream is one commit unit. `onFailure` is called once if an append fails. */
export function openUnit(
  { intake, admission, config }: PublishDependencies,
  {
    publisher,
    signal,
    onFailure,
  }: {
    /** The sender, if known. */
    readonly publisher: Publisher | undefined;
    readonly signal: CallSignal;
    readonly onFailure: () => void;
  },
): OpenUnit {
  const unit = createCommitUnit(config.refusedListMax);
  const appends = admission.openUnit({ appendsMax: config.streamAppendsMax, signal, onFailure });
  return {
    add: (frame) => appends.add(intake(frame, unit, publisher)),
    async end() {
      const ended = untilCancelWouldBeKnown();
      const appended = await appends.drained();
      await ended;
      return unit.result(appended);
    },
  };
}

/** A stream of frames, for protocols whose frames are read. */
export type FrameStream = {
  readonly frames: AsyncIterable<Buffer>;
  /** Its sender, if known. */
  readonly publisher: Publisher | undefined;
  readonly signal: CallSignal;
  /** Ends the frames at once, also while one is awaited. */
  stop(): void;
};

/** PublishReadings, of a whole stream. */
export async function publishReadings(
  dependencies: PublishDependencies,
  { frames, publisher, signal, stop }: FrameStream,
): Promise<UnitResult> {
  onCallAbort(signal, stop);
  const unit = openUnit(dependencies, { publisher, signal, onFailure: stop });
  for await (const frame of frames) {
    const wait = unit.add(frame);
    if (wait !== undefined) await wait;
  }
  throwIfAborted(signal);
  return unit.end();
}

/** A batch, over any protocol. */
export type FrameBatch = {
  readonly frame: Buffer;
  /** Its sender, if known. */
  readonly publisher: Publisher | undefined;
  readonly signal: CallSignal;
};

/** PublishReadingBatch: one frame is one commit unit. */
export async function publishReadingBatch(
  { intake, admission, config }: PublishDependencies,
  { frame, publisher, signal }: FrameBatch,
): Promise<UnitResult> {
  const unit = createCommitUnit(config.refusedListMax);
  const appends = admission.openUnit({ appendsMax: 1, signal, onFailure() {} });
  await appends.add(intake(frame, unit, publisher));
  return unit.result(await appends.drained());
}

/** The counts of one commit unit while its frames arrive. */
export type CommitUnit = {
  /** Number of frames so far, which is the index of the next one. */
  readonly frames: number;
  /** Number of readings so far, including rejected ones, which is the index of the next one. */
  readonly readings: number;
  /** Number of further rejections that the response may list. */
  readonly refusalsLeft: number;
  /** Counts a frame. */
  add(frame: CheckedFrame): void;
  /** What became of the unit, if all accepted readings are durable; `appended` is what the log found, if it knows. */
  result(appended?: Appended): UnitResult;
};

const nothingRefused: ReadonlyMap<string, number> = new Map();

/** Creates a unit without frames, whose response lists at most `refusedListMax` rejected readings. */
export function createCommitUnit(refusedListMax: number): CommitUnit {
  let frames = 0;
  let accepted = 0;
  let refused = 0;
  const refusedReadings: RefusedReading[] = [];
  let refusedByRule: Map<string, number> | undefined;
  return {
    get frames() {
      return frames;
    },
    get readings() {
      return accepted + refused;
    },
    get refusalsLeft() {
      return refusedListMax - refusedReadings.length;
    },
    add(frame) {
      const first = accepted + refused;
      for (const { row, identity, fieldPath, ruleId, text } of frame.refusals) {
        if (refusedReadings.length === refusedListMax) break;
        refusedReadings.push({ ordinal: BigInt(first + row), identity, fieldPath, ruleId, text });
      }
      frames++;
      accepted += frame.batch.length;
      refused += frame.refused;
      for (const [rule, count] of frame.refusedByRule ?? []) {
        refusedByRule ??= new Map();
        refusedByRule.set(rule, (refusedByRule.get(rule) ?? 0) + count);
      }
    },
    result: (appended) => ({
      response: {
        accepted: BigInt(accepted),
        refused: BigInt(refused),
        refusedReadings,
        ...(appended && {
          duplicates: BigInt(appended.duplicates),
          conflicts: BigInt(appended.conflicts),
        }),
      },
      refusedByRule: refusedByRule ?? nothingRefused,
    }),
  };
}

/**
 * Processes the next frame of a unit: decodes, checks and counts it, and returns the accepted readings. `publisher` is
 * its sender, if known.
 * @throws RpcError INVALID_ARGUMENT if the bytes are not a frame, RESOURCE_EXHAUSTED if the frame or the
 * unit is too large, UNAUTHENTICATED if the publisher is no longer valid, UNAVAILABLE if
 * the retention mark is unknown.
 */
export type FrameIntake = (frame: Buffer, unit: CommitUnit, publisher?: Publisher) => MessageBatch;

/** The intake of all streams; frames are processed one after the other. */
export function createFrameIntake({
  decode,
  check,
  clock,
  retainedSinceMs,
  admitSeries,
  admitOlder,
  unitReadingsMax,
  counters,
}: {
  readonly decode: FrameDecoder;
  readonly check: ReadingChecks;
  readonly clock: () => number;
  readonly retainedSinceMs: (() => number) | undefined;
  readonly admitSeries?: AdmitSeries | undefined;
  readonly admitOlder?: AdmitOlder | undefined;
  readonly unitReadingsMax: number;
  readonly counters: IngestCounters;
}): FrameIntake {
  return (frame, unit, publisher) => {
    counters.frames++;
    counters.bytes += frame.length;
    const problem = publisher?.problem();
    if (problem !== undefined) throw problem;
    const place = `frames[${unit.frames}]`;
    if (frame.length > frameBytesMax) {
      throw resourceExhausted({
        subject: place,
        description: `the frame has ${frame.length} bytes, it may have ${frameBytesMax}`,
      });
    }
    const decoded = decode(frame);
    if (decoded.kind === "malformed") {
      throw malformedFrame(unit.frames, decoded.text);
    }
    if (decoded.kind === "tooManyReadings") {
      throw resourceExhausted({
        subject: `${place}.readings`,
        description: `the frame has more than ${frameReadingsMax} readings`,
      });
    }
    const { columns } = decoded;
    if (unit.readings + columns.length > unitReadingsMax) {
      throw resourceExhausted({
        subject: "unit",
        description: `more than ${unitReadingsMax} readings; end the stream earlier and begin another`,
      });
    }
    const checked = check(columns, {
      nowMs: clock(),
      refusalsMax: unit.refusalsLeft,
      ...(retainedSinceMs === undefined ? {} : { retainedSinceMs: retainedSinceMs() }),
      ...(publisher === undefined ? {} : { publisher }),
      ...(admitSeries === undefined ? {} : { admitSeries }),
      admitOlder,
    });
    unit.add(checked);
    return checked.batch;
  };
}

/** The error for bytes that are not a frame; `index` is its index in the unit. */
export function malformedFrame(index: number, text: string): RpcError {
  return invalidArgument({
    field: `frames[${index}]`,
    description: `not a protobuf message of readings: ${text}`,
    reason: "malformed",
  });
}

/**
 * A client that cancels or dies may end its stream like one that has finished; its call is abandoned only some moments
 * later (measured with grpc-js: up to 2 ms, within two iterations of the event loop). Until then an end is not a
 * commit. The wait overlaps with the write to the log, so that it seldom costs time. After a later cancel the unit
 * still counts, like one whose response is lost: the two cannot be distinguished. The units that end in one iteration
 * share the wait: with thousands a second, a timer each costs more than their readings.
 */
function createCancelWait(): () => Promise<void> {
  let shared: Promise<void> | undefined;
  async function wait(): Promise<void> {
    await nextIteration();
    // A unit that ends from here on waits for the next one.
    shared = undefined;
    await delay(2);
    await nextIteration();
    await nextIteration();
  }
  return () => {
    shared ??= wait();
    return shared;
  };
}
