import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import type { Publisher } from "@devicemesh/identity";
import type { IngestConfig } from "../limits.ts";
import type { AppendAdmission } from "./append-admission.ts";
import { createCommitUnit, type FrameIntake, type UnitResult } from "./commit-unit.ts";
import type { OpenCalls } from "./open-calls.ts";

/** The dependencies of both methods, over every protocol. */
export type PublishDependencies = {
  readonly calls: OpenCalls;
  readonly intake: FrameIntake;
  readonly admission: AppendAdmission;
  readonly config: IngestConfig;
};

/** A stream of frames, over any protocol. */
export type FrameStream = {
  readonly frames: AsyncIterable<Buffer>;
  /** Its sender, if known. */
  readonly publisher: Publisher | undefined;
  /** Aborts when no client waits for the response any more. */
  readonly signal: AbortSignal;
  /** Ends the frames at once, also while one is awaited. */
  stop(): void;
};

/** PublishReadings: a stream is one commit unit, which resolves when all accepted readings are durably stored. */
export async function publishReadings(
  { intake, admission, config }: PublishDependencies,
  { frames, publisher, signal, stop }: FrameStream,
): Promise<UnitResult> {
  const unit = createCommitUnit(config.refusedListMax);
  signal.addEventListener("abort", stop, { once: true });
  const appends = admission.openUnit({ appendsMax: config.streamAppendsMax, signal, onFailure: stop });
  try {
    for await (const frame of frames) {
      const wait = appends.add(intake(frame, unit, publisher));
      if (wait !== undefined) await wait;
    }
  } catch (error) {
    if (!isPrematureClose(error)) throw error;
  }
  signal.throwIfAborted();
  const ended = untilCancelWouldBeKnown();
  const appended = await appends.drained();
  await ended;
  return unit.result(appended);
}

/** A batch, over any protocol. */
export type FrameBatch = {
  readonly frame: Buffer;
  /** Its sender, if known. */
  readonly publisher: Publisher | undefined;
  /** Aborts when no client waits for the response any more. */
  readonly signal: AbortSignal;
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

/**
 * A client that cancels or dies may end its stream like one that has finished; its call is abandoned only some moments
 * later (measured with grpc-js: up to 2 ms, within two turns of the event loop). Until then an end is not a commit. The
 * wait overlaps with the write to the log, so that it seldom costs time. After a later cancel the unit still counts,
 * like one whose response is lost: the two cannot be distinguished.
 */
async function untilCancelWouldBeKnown(): Promise<void> {
  await delay(2);
  await nextTurn();
  await nextTurn();
}

function isPrematureClose(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE";
}
