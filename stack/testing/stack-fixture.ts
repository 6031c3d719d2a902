import { parse } from "yaml";
import type { Shape } from "../src/deploy/addresses.ts";
import { createDocker } from "../src/deploy/docker.ts";
import { mergedConfig } from "../src/deploy/merged-config.ts";
import { stackFiles } from "../src/deploy/stack-files.ts";

/** A service in the output of `docker stack config`: the parts that tests check. */
export type StackService = {
  readonly image: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly hostname?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly networks?: Readonly<Record<string, unknown>>;
  readonly ports?: readonly {
    readonly mode: string;
    readonly published: string | number;
    readonly target: number;
  }[];
  readonly configs?: readonly Mount[];
  readonly secrets?: readonly Mount[];
  readonly volumes?: readonly { readonly type: string; readonly source: string; readonly target: string }[];
  readonly stop_grace_period?: string;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly logging?: { readonly options?: Readonly<Record<string, string>> };
  readonly deploy: {
    readonly mode?: string;
    readonly replicas?: number;
    readonly endpoint_mode?: string;
    readonly update_config?: { readonly order: string; readonly failure_action: string };
    readonly rollback_config?: { readonly order: string };
    readonly restart_policy?: { readonly condition: string };
    readonly placement?: {
      readonly constraints?: readonly string[];
      readonly max_replicas_per_node?: number;
    };
    readonly resources?: {
      readonly limits?: { readonly memory?: string; readonly cpus?: string };
      readonly reservations?: { readonly memory?: string };
    };
  };
};

type Mount = {
  readonly source: string;
  readonly target: string;
  readonly uid?: string;
  readonly mode?: number;
};

/** A deployment after Docker has merged it and replaced its variables. */
export type Stack = {
  readonly services: Readonly<Record<string, StackService>>;
  readonly networks: Readonly<
    Record<string, { readonly driver: string; readonly driver_opts?: object; readonly internal?: boolean }>
  >;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly configs: Readonly<Record<string, { readonly name: string; readonly file: string }>>;
  readonly secrets: Readonly<Record<string, { readonly name: string; readonly file: string }>>;
};

/** Returns the stack from Docker's own client, in the form of a deployment. */
export function readStack(
  shape: Shape,
  env: Readonly<Record<string, string | undefined>>,
  variables: Readonly<Record<string, string>> = {},
  more: { readonly admin?: boolean } = {},
): Stack {
  const docker = createDocker({ env, variables, dryRun: false, report: () => {} });
  return parse(mergedConfig(docker, stackFiles(shape, more))) as Stack;
}

/** Parses a size in Docker's notation to bytes: `1536m`, `2g`, a number. */
export function bytesOf(size: string | number): number {
  const [, number, unit = ""] = /^(\d+)([kmg]?)b?$/i.exec(`${size}`) ?? [];
  if (number === undefined) throw new Error(`${size} is not a size`);
  return (
    Number(number) * { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }[unit.toLowerCase() as "" | "k" | "m" | "g"]
  );
}

/** Parses a duration in Docker's notation to ms: `1m30s`. */
export function millisecondsOf(time: string): number {
  const parts = [...time.matchAll(/(\d+)(ms|s|m|h)/g)];
  if (parts.length === 0) throw new Error(`${time} is not a time`);
  const scale: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (scale[unit as string] as number), 0);
}
