// A window job in a process of its own: the parent sends where it runs, and receives the progress until it sends "end".
import { setInterval as intervals } from "node:timers/promises";
import { cpuMs } from "../../report/process-usage.ts";
import { runWindowJob } from "../../windows/window-job-run.ts";
import type { WindowJobPlace } from "../../windows/windows-ground.ts";
import type { WindowJobMessage } from "../paths/window-job-process.ts";

const progressMs = 200;

async function run({ sparkPid, ...place }: WindowJobPlace): Promise<void> {
  const end = new AbortController();
  process.on("message", () => end.abort());
  process.on("disconnect", () => end.abort());
  await using job = await runWindowJob({ ...place, sparkCpuMs: () => cpuMs(sparkPid) });
  try {
    for await (const _ of intervals(progressMs, undefined, { signal: end.signal })) {
      const message: WindowJobMessage = {
        batches: job.record.batches,
        read: job.read(),
        dropped: job.dropped(),
        watermarkMs: job.watermarkMs(),
      };
      process.send?.(message);
    }
  } catch (error) {
    if (!end.signal.aborted) throw error;
  }
}

process.once("message", (place: WindowJobPlace) => {
  run(place).then(() => process.exit());
});
