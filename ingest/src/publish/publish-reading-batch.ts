import type { Publisher } from "@devicemesh/identity";
import { createAppendWindow } from "./append-window.ts";
import { createCommitUnit, type UnitResult } from "./commit-unit.ts";
import type { PublishDependencies } from "./publish-dependencies.ts";

/** A batch, over any protocol. */
export type FrameBatch = {
  readonly frame: Buffer;
  /** Who sends it, where that is known. */
  readonly publisher: Publisher | undefined;
  /** Aborts when no client waits for the answer any more. */
  readonly signal: AbortSignal;
};

/** PublishReadingBatch: one frame is one commit unit. */
export async function publishReadingBatch(
  { intake, log, room, config }: PublishDependencies,
  { frame, publisher, signal }: FrameBatch,
): Promise<UnitResult> {
  const unit = createCommitUnit(config.refusedListMax);
  const window = createAppendWindow({ log, room, appendsMax: 1, signal, onFailure() {} });
  await window.add(intake(frame, unit, publisher));
  await window.drained();
  return unit.result();
}
