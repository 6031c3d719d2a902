import { Listr, type ListrTask } from "listr2";
import type { StepList } from "./steps.ts";

/**
 * Shows steps as a live list on a terminal, otherwise as a line at the start and the end of each. A finished step shows
 * its result and its duration.
 */
export function createStepList(): StepList {
  const tasks: ListrTask[] = [];
  return {
    show(name, work) {
      const shown = Promise.withResolvers<(progress: string) => void>();
      let show: ((progress: string) => void) | undefined;
      let latest = "";
      // The work starts at once; the list only displays it.
      const done = work({
        report(progress) {
          latest = progress;
          show?.(progress);
        },
      });
      done.catch(() => {});
      void shown.promise.then((report) => {
        show = report;
        if (latest !== "") report(latest);
      });
      tasks.push({
        title: name,
        async task(_, task) {
          const startMs = performance.now();
          shown.resolve((progress) => {
            // A line of a log is complete by itself; on a terminal it follows the title.
            task.output = process.stdout.isTTY ? progress : `${name}: ${progress}`;
          });
          const result = await done;
          task.title = `${name}  ${result}  (${((performance.now() - startMs) / 1000).toFixed(1)} s)`;
        },
      });
    },
    async end() {
      const list = new Listr(tasks, {
        concurrent: true,
        exitOnError: false,
        fallbackRenderer: "verbose",
        rendererOptions: { collapseSubtasks: false },
        fallbackRendererOptions: { logTitleChange: false },
        registerSignalListeners: false,
      });
      await list.run();
    },
  };
}
