import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type CpuProfile, cpuProfile } from "./cpu-profile.ts";
import { javaStacks } from "./java-stacks.ts";
import { javaThreads, javaThreadTimes } from "./thread-groups.ts";
import { type ThreadTimes, threadTimes } from "./thread-times.ts";

/** Frames of a stack that are recorded: Spark's have more than a hundred. */
const stackDepth = 256;
/** Bytes of the printed samples of half a minute, at most. */
const printedMax = 1_000_000_000;
const run = promisify(execFile);

/** A recording of Java Flight Recorder. */
export type FlightRecording = {
  /** Ends it, writes it, and returns where the CPU time since a reading went; the samples are those of all its time. */
  stop(since: ThreadTimes): Promise<CpuProfile>;
};

/** Starts a recording in a JVM, for a file. @throws Error without the tools `jcmd` and `jfr` of a JDK. */
export async function startFlightRecorder(pid: number, file: string): Promise<FlightRecording> {
  const jcmd = (...args: readonly string[]) => run("jcmd", [String(pid), ...args]);
  await jcmd("JFR.configure", `stackdepth=${stackDepth}`);
  await jcmd("JFR.start", "name=bench", "settings=profile");
  return {
    async stop(since) {
      const until = threadTimes(pid);
      await jcmd("JFR.stop", "name=bench", `filename=${file}`);
      const { stdout } = await run(
        "jfr",
        ["print", "--events", "jdk.ExecutionSample", "--stack-depth", String(stackDepth), file],
        { maxBuffer: printedMax },
      );
      return cpuProfile(javaStacks(stdout), javaThreadTimes([since, until]), javaThreads);
    },
  };
}
