import { type RpcError, resourceExhausted } from "@devicemesh/kit/rpc/rpc-error";

/** Limits the number of concurrent exports. */
export type ExportAdmission = {
  /**
   * Admits an export until it is disposed.
   * @throws RpcError RESOURCE_EXHAUSTED with a retry hint if too many run.
   */
  admit(): Disposable;
  /** Number of running exports. */
  readonly running: number;
};

/** Creates the admission of at most `max` exports. */
export function createExportAdmission(max: number): ExportAdmission {
  let running = 0;
  return {
    admit() {
      if (running >= max) throw tooMany(max);
      running++;
      let isOver = false;
      return {
        [Symbol.dispose]() {
          if (!isOver) running--;
          isOver = true;
        },
      };
    },
    get running() {
      return running;
    },
  };
}

function tooMany(max: number): RpcError {
  const subject = "exports";
  const description = `at most ${max} run at a time: try again`;
  return resourceExhausted({ subject, description, retryDelayMs: 5000 });
}
