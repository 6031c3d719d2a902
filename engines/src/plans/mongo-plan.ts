import { type EngineSpec, engineFiles } from "../engine-spec.ts";
import type { PlanContext } from "./plan-context.ts";

/** The program that serves MongoDB's protocol. */
export type MongoProgram =
  | { readonly kind: "mongod"; readonly command: string }
  /** The stand-in, for tests and development. */
  | { readonly kind: "stand-in"; readonly command: string };

/** Returns the specification of the database, with a real mongod if there is one. */
export function mongoSpec(context: PlanContext, program: MongoProgram): EngineSpec {
  const files = engineFiles(context.folder, "mongo");
  const port = context.ports.mongo;
  return {
    name: "mongo",
    needs: [],
    command: program.command,
    args: program.kind === "mongod" ? mongodArguments(files, port) : standInArguments(files, port),
    workFolder: context.folder,
    probe: { kind: "mongo", port },
    address: `mongodb://127.0.0.1:${port}`,
    logFile: program.kind === "mongod" ? files.log : files.output,
    outputFile: files.output,
    readyLimitMs: 60_000,
    stopGraceMs: 20_000,
  };
}

type Files = ReturnType<typeof engineFiles>;

function mongodArguments({ data, log }: Files, port: number): string[] {
  return [
    ...["--bind_ip", "127.0.0.1", "--port", String(port), "--dbpath", data],
    ...["--logpath", log, "--wiredTigerCacheSizeGB", "0.5", "--quiet"],
  ];
}

/**
 * Returns the arguments of the stand-in. With log files of the default size, recovery after a kill is slow and takes
 * 2 GB of disk. Without `--sync-on-commit` it acknowledges journaled writes before they are in its journal: a kill -9
 * lost the last few hundred documents in each of eight runs, with and without `j: true`.
 */
export function standInArguments({ data }: Pick<Files, "data">, port: number): string[] {
  return [
    ...["--host", "127.0.0.1", "--port", String(port), "--storage-path", data],
    ...["--cache-size", "512M", "--log-file-max", "64MB", "--sync-on-commit", "--log-level", "WARNING"],
  ];
}
