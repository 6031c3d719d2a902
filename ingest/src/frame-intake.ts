import { invalidArgument, resourceExhausted } from "@devicemesh/kit/rpc-error";
import { frameBytesMax, frameReadingsMax } from "@devicemesh/proto";
import type { CommitUnit } from "./commit-unit.ts";
import type { IngestCounters } from "./counters.ts";
import type { FrameDecoder } from "./frame-decoder.ts";
import type { MessageBatch } from "./message-log.ts";
import type { ReadingChecks } from "./reading-checks.ts";

/**
 * Takes the next frame of a unit in: decodes, checks and counts it, and gives what was accepted.
 * @throws RpcError INVALID_ARGUMENT if the bytes are not a frame, RESOURCE_EXHAUSTED if the frame or the
 *   unit is too large.
 */
export type FrameIntake = (frame: Buffer, unit: CommitUnit) => MessageBatch;

/** The intake of all streams; frames are taken in one after the other. */
export function createFrameIntake({
  decode,
  check,
  clock,
  retainedSinceMs,
  unitReadingsMax,
  counters,
}: {
  readonly decode: FrameDecoder;
  readonly check: ReadingChecks;
  readonly clock: () => number;
  readonly retainedSinceMs: (() => number) | undefined;
  readonly unitReadingsMax: number;
  readonly counters: IngestCounters;
}): FrameIntake {
  return (frame, unit) => {
    counters.frames++;
    counters.bytes += frame.length;
    const place = `frames[${unit.frames}]`;
    if (frame.length > frameBytesMax) {
      throw resourceExhausted({
        subject: place,
        description: `the frame has ${frame.length} bytes, it may have ${frameBytesMax}`,
      });
    }
    const decoded = decode(frame);
    if (decoded.kind === "malformed") {
      throw invalidArgument({
        field: place,
        description: `not a protobuf message of readings: ${decoded.text}`,
        reason: "malformed",
      });
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
    });
    unit.add(checked);
    return checked.batch;
  };
}
