import { spawn } from "node:child_process";
import { once } from "node:events";
import { findEnvoy } from "@devicemesh/engines/testing/host-tools";
import { startEnvoy } from "@devicemesh/envoy";
import { describe, expect, it } from "vitest";
import { readStack } from "../../testing/stack-fixture.ts";
import { addresses, type Shape } from "./addresses.ts";

const binary = findEnvoy();
const shapes = ["swarm", "single"] as const satisfies readonly Shape[];
const local = { host: "127.0.0.1", port: 0 };
/** No server listens there, and Envoy is ready all the same. */
const unreachable = { host: "127.0.0.1", port: 1 };

/** Runs the stack's health check like Docker inside the container, against another port; returns its exit code. */
async function runHealthCheck(test: readonly string[], port: number): Promise<number | null> {
  const [kind, program = "", ...args] = test;
  expect(kind).toBe("CMD");
  const here = args.map((arg) => arg.replaceAll(`/${addresses.envoy.metricsPort}`, `/${port}`));
  expect(here).not.toEqual(args);
  const child = spawn(program, here, { stdio: "ignore" });
  const [code] = (await once(child, "close")) as [number | null];
  return code;
}

describe.skipIf(binary === undefined)("the health check of Envoy in the stack", () => {
  it.each(shapes)(
    "passes while Envoy is ready, and fails when it drains or has ended (%s)",
    async (shape) => {
      const { healthcheck } = readStack(shape, process.env).services.envoy ?? {};
      const test = healthcheck?.test ?? [];
      const envoy = await startEnvoy({
        binary: binary ?? "",
        plain: local,
        metrics: local,
        ingest: [unreachable],
        query: [unreachable],
        generator: [unreachable],
        drainMs: 0,
      });
      const { port } = envoy.metrics;
      try {
        expect(await runHealthCheck(test, port)).toBe(0);
        await envoy.admin.post("/healthcheck/fail");
        expect(await runHealthCheck(test, port)).not.toBe(0);
      } finally {
        await envoy.close();
      }
      expect(await runHealthCheck(test, port)).not.toBe(0);
    },
  );
});
