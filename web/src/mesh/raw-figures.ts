import { Code, ConnectError } from "@connectrpc/connect";
import { percentiles } from "../chart/panels.ts";
import type { Selection } from "../state/selection.ts";

/** Figures that the server computes from raw readings, and only if it is asked. */
export type RawFigures = {
  /** From 0 to 1. */
  readonly quantiles?: readonly number[];
  /** Asks for time-weighted averages: the longest time for which a value holds, in seconds. */
  readonly holdSeconds?: number;
};

/** An answer, and whether the server rejects the figures of so many readings. */
export type WithRawFigures<Answer> = { readonly answer: Answer; readonly isRefused: boolean };

/** Returns the figures that a selection shows. */
export function rawFiguresOf({ curves, hold }: Pick<Selection, "curves" | "hold">): RawFigures {
  if (curves === "percentiles") return { quantiles: percentiles };
  return curves === "weighted" ? { holdSeconds: hold } : {};
}

/** Returns the fields of a request of the contract. */
export function rawFields({ quantiles = [], holdSeconds }: RawFigures = {}) {
  return {
    quantiles: [...quantiles],
    ...(holdSeconds !== undefined && { timeWeighting: { maxHold: { seconds: BigInt(holdSeconds) } } }),
  };
}

/** Returns the JSON of these fields. */
export function rawFieldsJson({ quantiles, holdSeconds }: RawFigures): Record<string, unknown> {
  return {
    ...(quantiles && { quantiles }),
    ...(holdSeconds !== undefined && { timeWeighting: { maxHold: `${holdSeconds}s` } }),
  };
}

/**
 * Requests an answer with figures; if the server rejects them because there are too many readings, without them.
 * @throws ConnectError of the server for any other reason.
 */
export async function withRawFigures<Answer>(
  figures: RawFigures,
  request: (figures: RawFigures) => Promise<Answer>,
): Promise<WithRawFigures<Answer>> {
  try {
    return { answer: await request(figures), isRefused: false };
  } catch (error) {
    const isAsked = Object.keys(figures).length > 0;
    if (!isAsked || ConnectError.from(error).code !== Code.ResourceExhausted) throw error;
    return { answer: await request({}), isRefused: true };
  }
}
