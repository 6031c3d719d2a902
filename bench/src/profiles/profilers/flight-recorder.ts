import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type CpuProfile, cpuProfile } from "./cpu-profile.ts";
import { javaStacks } from "./java-stacks.ts";
import { javaThreads, javaThreadTimes } from "./thread-groups.ts";
import { threadTimes } from "./thread-times.ts";

/** Frames of a stack that are recorded: Spark's have more than a hundred. */
const stackDepth = 256;
/** Bytes of the printed samples of half a minute, at most. */
const printedMax = 1_000_000_000;
const run = promisify(execFile);

/**
 * Starts a recording of Java Flight Recorder in a JVM. `stop` ends it, writes it to `file`, and returns where the CPU
 * time went.
 * @throws Error without the tools `jcmd` and `jfr` of a JDK.
 */
export async function startFlightRecorder(
  pid: number,
  file: string,
): Promise<{ stop(): Promise<CpuProfile> }> {
  const jcmd = (...args: readonly string[]) => run("jcmd", [String(pid), ...args]);
  await jcmd("JFR.configure", `stackdepth=${stackDepth}`);
  await jcmd("JFR.start", "name=bench", "settings=profile");
  const before = threadTimes(pid);
  return {
    async stop() {
      const after = threadTimes(pid);
      await jcmd("JFR.stop", "name=bench", `filename=${file}`);
      const { stdout } = await run(
        "jfr",
        ["print", "--events", "jdk.ExecutionSample", "--stack-depth", String(stackDepth), file],
        { maxBuffer: printedMax },
      );
      return cpuProfile(javaStacks(stdout), javaThreadTimes([before, after]), javaThreads);
    },
  };
}
