import type { WindowJob, WindowJobState } from "../src/window-job/window-job.ts";
import type { BatchProgress, WindowJobProgress } from "../src/window-job/window-job-progress.ts";

/** A window job that the test controls. */
export type MemoryWindowJob = WindowJob & {
  /** Sets the reported progress. */
  report(progress: Partial<WindowJobProgress>): void;
  /** Sets the reported state. */
  become(state: Partial<WindowJobState>): void;
  readonly isClosed: boolean;
};

/** Creates a running job without progress. */
export function createMemoryWindowJob(): MemoryWindowJob {
  let progress: WindowJobProgress | undefined;
  let state: WindowJobState = {
    kind: "running",
    withoutBatchMs: 0,
    restarts: 0,
    checkpoint: "memory",
  };
  let isClosed = false;
  const close = async (): Promise<void> => {
    isClosed = true;
  };
  return {
    report(reported) {
      progress = { ...silent, ...progress, ...reported };
    },
    become(reported) {
      state = { ...state, ...reported };
    },
    progress: () => progress,
    state: () => state,
    get isClosed() {
      return isClosed;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

const silent: WindowJobProgress = {
  watermarkMs: undefined,
  batch: undefined,
  inputRows: 0,
  inputRowsPerSecond: 0,
  processedRowsPerSecond: 0,
  batchMs: 0,
  stateRows: 0,
  rowsDropped: 0,
  endOffsets: new Map(),
};

/** A batch of a window job; it dropped nothing unless `changes` sets that. */
export function batchOf(changes: Partial<BatchProgress> & { readonly batch: number }): BatchProgress {
  return { ...silent, startOffsets: new Map(), ...changes };
}
