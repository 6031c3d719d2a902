import { createFailureLog } from "@devicemesh/kit/health/failure-log";
import type { Logger } from "@devicemesh/kit/observability/logger";
import { databaseDiskFull, isDatabaseDiskFull } from "@devicemesh/pipeline";
import { type Loop, startLoop } from "../loop.ts";
import type { Progress } from "./progress.ts";

/** Starts a loop whose failures are logged, and are in `progress` under its name until a step succeeds. */
export function startReportedLoop(
  options: Omit<Parameters<typeof startLoop>[0], "onFailure"> & {
    readonly name: string;
    readonly progress: Pick<Progress, "failures">;
    readonly logger: Logger;
  },
): Loop {
  const { name, progress, logger, onSuccess, ...loop } = options;
  const log = createFailureLog({
    logger,
    fields: { loop: name },
    failed: "step failed; retrying",
    recovered: "step succeeds again",
  });
  return startLoop({
    ...loop,
    onSuccess() {
      progress.failures.delete(name);
      log.succeeded();
      onSuccess?.();
    },
    onFailure(error) {
      const reason = log.failed(error);
      progress.failures.set(name, isDatabaseDiskFull(error) ? `${databaseDiskFull}: ${reason}` : reason);
    },
  });
}
