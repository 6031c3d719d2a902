import type { Stack } from "./stacks.ts";

/**
 * Returns the stacks of the events `jdk.ExecutionSample` in the output of `jfr print`: Java code that ran at each sample,
 * of all threads. The JVM's own threads are not among them.
 */
export function javaStacks(printed: string): Stack[] {
  const weights = new Map<string, number>();
  let frames: string[] | undefined;
  for (const line of printed.split("\n")) {
    const text = line.trim();
    if (text === "stackTrace = [") frames = [];
    else if (frames && text === "]") {
      const key = frames.reverse().join("\n");
      if (key) weights.set(key, (weights.get(key) ?? 0) + 1);
      frames = undefined;
    } else if (frames) {
      const frame = frameOf(text);
      if (frame) frames.push(frame);
    }
  }
  return [...weights].map(([key, weight]) => ({ frames: key.split("\n"), weight }));
}

/** "package.Class.method(arguments) line: 12" without arguments and line; undefined for the mark of a cut stack. */
function frameOf(text: string): string | undefined {
  const end = text.indexOf("(");
  if (end <= 0) return undefined;
  // Numbers of lambdas and hidden classes differ from run to run.
  return text
    .slice(0, end)
    .replaceAll(/\$\$Lambda[^.]*/g, "$$$$Lambda")
    .replaceAll(/0x[0-9a-f]+/g, "0x");
}
