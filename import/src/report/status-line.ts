import type { Clock } from "@devicemesh/client/clock";

/** Where a command writes. */
export type Output = {
  write(text: string): unknown;
  /** Whether a person watches. */
  readonly isTTY?: boolean | undefined;
  /** The width of the terminal in characters. */
  readonly columns?: number | undefined;
};

/** A line that says how things stand. */
export type StatusLine = {
  /** Shows the text in place of the one before; without a terminal as a line of its own, every few seconds at most. */
  show(text: string): void;
  /** Leaves the terminal on a fresh line. */
  end(): void;
};

/** A status line on the output; without a terminal at most one line in `plainEveryMs`. */
export function createStatusLine({
  output,
  clock,
  plainEveryMs = 5_000,
}: {
  output: Output;
  clock: Clock;
  plainEveryMs?: number;
}): StatusLine {
  let plainAtMs = clock.nowMs();
  let shown = false;
  return {
    show(text) {
      if (output.isTTY) {
        // A terminal that does not know its width says 0.
        output.write(`\r\x1b[2K${text.slice(0, Math.max(1, (output.columns || 80) - 1))}`);
        shown = true;
      } else if (clock.nowMs() - plainAtMs >= plainEveryMs) {
        plainAtMs = clock.nowMs();
        output.write(`${text}\n`);
      }
    },
    end() {
      if (shown) output.write("\n");
      shown = false;
    },
  };
}
