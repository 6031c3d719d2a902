import { Listr, type ListrTask } from "listr2";
import type { StepList } from "./steps.ts";

/**
 * Shows steps as a live list on a terminal, else a line when one begins and ends. A step that is done shows
 * what it came to and how long it took.
 */
export function createStepList(): StepList {
  const tasks: ListrTask[] = [];
  return {
    show(name, work) {
      const shown = Promise.withResolvers<(progress: string) => void>();
      let say: ((progress: string) => void) | undefined;
      let latest = "";
      // The work begins at once; the list is only its picture.
      const done = work({
        say(progress) {
          latest = progress;
          say?.(progress);
        },
      });
      done.catch(() => {});
      void shown.promise.then((tell) => {
        say = tell;
        if (latest !== "") tell(latest);
      });
      tasks.push({
        title: name,
        async task(_, task) {
          const startMs = performance.now();
          shown.resolve((progress) => {
            // Lines of a log stand alone; on a terminal they stand below the title.
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
