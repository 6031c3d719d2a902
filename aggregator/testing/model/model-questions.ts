import { alignDown, type KeptSince } from "@devicemesh/proto";
import type { LogPlaces } from "../../src/levels/frontier.ts";
import { modelSizes } from "./engines-model.ts";
import type { ModelRandom } from "./model-random.ts";
import type { ModelCoverage } from "./pending-model.ts";

/** What is published, and when it was read. */
export type ModelHorizon = {
  readonly frontiersMs: readonly number[];
  readonly coarsePureSinceMs: number | undefined;
  readonly marks: KeptSince;
  readonly coverage: ModelCoverage;
  readonly atMs: number;
};

/** A timeframe of any length, sometimes of whole windows. */
export function anyTimeframe(
  random: ModelRandom,
  { startMs, nowMs }: { readonly startMs: number; readonly nowMs: number },
): { readonly sinceMs: number; readonly toMs: number } {
  const sinceMs = random.between(startMs - 350, nowMs + 250);
  const toMs = sinceMs + random.between(1, 600);
  if (random.next() >= 0.3) return { sinceMs, toMs };
  const { windowMs } = modelSizes;
  return { sinceMs: alignDown(sinceMs, windowMs), toMs: alignDown(toMs, windowMs) + windowMs };
}

/** The places of the log, one partition a topic. */
export function places(windows: number, deadLetters: number): LogPlaces {
  return {
    windows: new Map([["windows/0", windows]]),
    deadLetters: new Map([["dead letters/0", deadLetters]]),
  };
}
