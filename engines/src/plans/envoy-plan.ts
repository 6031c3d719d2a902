import { type EngineSpec, engineFiles } from "../engine-spec.ts";
import type { PlanContext } from "./plan-context.ts";

/** An Envoy with its configuration. */
export type EnvoyOptions = {
  readonly configFile: string;
  /** A URL that answers 200 when it is ready, such as `/ready` of its admin port. */
  readonly readyUrl: string;
};

/** The path of the program. */
export function envoyCommand(homes: Pick<PlanContext["homes"], "python">): string {
  return `${homes.python}/envoy/_bin/envoy`;
}

/** Returns the specification of the edge proxy. */
export function envoySpec(context: PlanContext, envoy: EnvoyOptions): EngineSpec {
  const files = engineFiles(context.folder, "envoy");
  return {
    name: "envoy",
    needs: [],
    command: envoyCommand(context.homes),
    args: [
      ...["--config-path", envoy.configFile, "--log-level", "warn", "--log-path", files.log],
      // Several instances on one machine must not share memory.
      ...["--use-dynamic-base-id", "--drain-time-s", "5"],
    ],
    workFolder: context.folder,
    probe: { kind: "http", url: envoy.readyUrl },
    address: new URL(envoy.readyUrl).origin,
    logFile: files.log,
    outputFile: files.output,
    readyLimitMs: 60_000,
    stopGraceMs: 10_000,
  };
}
