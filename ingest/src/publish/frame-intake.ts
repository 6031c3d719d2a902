import type { Publisher } from "@devicemesh/identity";
import { invalidArgument, type RpcError, resourceExhausted } from "@devicemesh/kit/rpc/rpc-error";
import { frameBytesMax, frameReadingsMax } from "@devicemesh/proto";
import type { AdmitOlder, AdmitSeries, ReadingChecks } from "../checks/reading-checks.ts";
import type { IngestCounters } from "../counters.ts";
import type { MessageBatch } from "../log/message-log.ts";
import type { FrameDecoder } from "../wire/frame-decoder.ts";
import type { CommitUnit } from "./commit-unit.ts";

/**
 * Takes the next frame of a unit in: decodes, checks and counts it, and gives what was accepted. `publisher`
 * is who sends it, where that is known.
 * @throws RpcError INVALID_ARGUMENT if the bytes are not a frame, RESOURCE_EXHAUSTED if the frame or the
 *   unit is too large, UNAUTHENTICATED if the publisher is no longer who it was, UNAVAILABLE if
 *   the retention mark is unknown.
 */
export type FrameIntake = (frame: Buffer, unit: CommitUnit, publisher?: Publisher) => MessageBatch;

/** The intake of all streams; frames are taken in one after the other. */
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

/** What is wrong with bytes that are not a frame; `index` is its place in the unit. */
export function malformedFrame(index: number, text: string): RpcError {
  return invalidArgument({
    field: `frames[${index}]`,
    description: `not a protobuf message of readings: ${text}`,
    reason: "malformed",
  });
}
