import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { ObservedBatch } from "../../windows/observed-batches.ts";
import type { WindowJobRun } from "../../windows/window-job-run.ts";
import type { WindowJobPlace } from "../../windows/windows-ground.ts";
import type { ProfiledTree } from "../before-tree.ts";

/** What it reports, several times a second. */
export type WindowJobMessage = {
  readonly batches: readonly ObservedBatch[];
  readonly read: number;
  readonly dropped: number;
  readonly watermarkMs: number;
};

/** Runs the window job of a tree in a process of its own. Disposing stops the query and ends the process. */
export async function runWindowJobOf(tree: ProfiledTree, place: WindowJobPlace): Promise<WindowJobRun> {
  const child = fork(join(tree.root, "bench/src/profiles/programs/window-job.ts"), { cwd: tree.root });
  let last: WindowJobMessage = { batches: [], read: 0, dropped: 0, watermarkMs: 0 };
  child.on("message", (message: WindowJobMessage) => {
    last = message;
  });
  const exited = once(child, "exit");
  child.send(place);
  const [first] = await Promise.race([
    once(child, "message"),
    exited.then(([code]) => {
      throw new Error(`the window job of ${tree.commit} ended with code ${code}`);
    }),
  ]);
  last = first as WindowJobMessage;
  return {
    record: {
      add() {
        throw new Error("only the process of the job records batches");
      },
      get batches() {
        return last.batches;
      },
      get rows() {
        return last.batches.reduce((sum, { rows }) => sum + rows, 0);
      },
    },
    read() {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error("the window job has ended");
      return last.read;
    },
    dropped: () => last.dropped,
    watermarkMs: () => last.watermarkMs,
    async [Symbol.asyncDispose]() {
      if (child.connected) child.send("end");
      await exited;
    },
  };
}
