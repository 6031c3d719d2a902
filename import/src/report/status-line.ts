import type { Clock } from "@devicemesh/client/clock";

/** The output of a command. */
export type Output = {
  write(text: string): unknown;
  /** Whether it is a terminal. */
  readonly isTTY?: boolean | undefined;
  /** The width of the terminal in characters. */
  readonly columns?: number | undefined;
};

/** A line that shows the current status. */
export type StatusLine = {
  /** Shows the text instead of the previous one; without a terminal as a separate line, at most every few seconds. */
  show(text: string): void;
  /** Ends the line on the terminal. */
  end(): void;
};

/** Creates a status line on the output; without a terminal it writes at most one line in `plainEveryMs`. */
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
        // A terminal of unknown width reports 0.
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
