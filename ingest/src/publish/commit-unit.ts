import type { PublishReadingsResponse } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import type { RefusedReading } from "@devicemesh/proto/tsproto/devicemesh/v1/refused_reading.ts";
import type { CheckedFrame } from "../checks/reading-checks.ts";

/** What is counted of one commit unit while its frames come in. */
export type CommitUnit = {
  /** Frames so far; the place of the next one. */
  readonly frames: number;
  /** Readings so far, refused ones included; the ordinal of the next one. */
  readonly readings: number;
  /** How many more refusals the response lists. */
  readonly refusalsLeft: number;
  /** Counts a frame. */
  add(frame: CheckedFrame): void;
  /** What became of the unit, if all accepted readings are durable. */
  result(): UnitResult;
};

/** What became of a unit that was committed. */
export type UnitResult = {
  readonly response: PublishReadingsResponse;
  /** How many readings broke each rule, by its id. */
  readonly refusedByRule: ReadonlyMap<string, number>;
};

/** A unit without frames, whose response lists at most `refusedListMax` refused readings. */
export function createCommitUnit(refusedListMax: number): CommitUnit {
  let frames = 0;
  let accepted = 0;
  let refused = 0;
  const refusedReadings: RefusedReading[] = [];
  const refusedByRule = new Map<string, number>();
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
        refusedByRule.set(rule, (refusedByRule.get(rule) ?? 0) + count);
      }
    },
    result: () => ({
      response: { accepted: BigInt(accepted), refused: BigInt(refused), refusedReadings },
      refusedByRule,
    }),
  };
}
