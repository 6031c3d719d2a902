import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { findEnvoy } from "@devicemesh/engines";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { createServiceState, endOrphans } from "../services/service-state.ts";
import { addressText, type EnvoyProcessOptions, startEnvoyProcess } from "./envoy-process.ts";

const binary = findEnvoy(process.env.DEVICEMESH_ENGINES_CACHE);
const nowhere = [{ host: "127.0.0.1", port: 1 }];

function optionsIn(folder: string, more: Partial<EnvoyProcessOptions> = {}): EnvoyProcessOptions {
  return {
    envoy: {
      binary: binary ?? "",
      plain: { host: "127.0.0.1", port: 0 },
      metrics: { host: "127.0.0.1", port: 0 },
      ingest: nowhere,
      query: nowhere,
      generator: nowhere,
      drainMs: 0,
      openCallsMs: 0,
    },
    logFile: join(folder, "envoy.log"),
    ...more,
  };
}

/** Whether Envoy answers there, with or without a backend. */
async function answers(address: string): Promise<boolean> {
  const response = await fetch(`http://${address}/`).catch(() => undefined);
  await response?.body?.cancel();
  return response?.status === 503;
}

// Without Python to install Envoy, the test command prints a notice, and CI counts these as failures.
describe.skipIf(binary === undefined)("the process of Envoy", () => {
  it("is restarted on the same ports when it is killed, and reports each process id", async () => {
    using folder = temporaryFolder();
    const deaths: string[] = [];
    const processIds: number[] = [];
    await using envoy = await startEnvoyProcess(
      optionsIn(folder.path, {
        onDeath: (name, how) => deaths.push(`${name} ${how}`),
        onStart: (_, processId) => processIds.push(processId),
      }),
    );
    const { address, metricsAddress } = envoy;
    expect(await answers(address)).toBe(true);
    await envoy.kill();
    await envoy.listening();
    expect(await answers(address)).toBe(true);
    expect((await fetch(`http://${metricsAddress}/ready`)).status).toBe(200);
    expect(deaths).toEqual(["envoy SIGKILL"]);
    expect(processIds.length).toBe(2);
    expect(processIds.at(-1)).toBe(envoy.processId);
  });

  it("ends when it is stopped, also if stopped twice, and is not restarted", async () => {
    using folder = temporaryFolder();
    const deaths: string[] = [];
    const envoy = await startEnvoyProcess(optionsIn(folder.path, { onDeath: (_, how) => deaths.push(how) }));
    await Promise.all([envoy.stop(), envoy.stop()]);
    expect(await answers(envoy.address)).toBe(false);
    expect(deaths).toEqual([]);
  });

  it("can be stopped while it is being restarted", async () => {
    using folder = temporaryFolder();
    const processIds: number[] = [];
    const envoy = await startEnvoyProcess(
      optionsIn(folder.path, { onStart: (_, processId) => processIds.push(processId) }),
    );
    await envoy.kill();
    await waitUntil(() => processIds.length === 2, { what: "the next one is spawned" });
    await envoy.stop();
    expect(await answers(envoy.address)).toBe(false);
  });

  it("does not start if its port is in use, and names the port", async () => {
    using folder = temporaryFolder();
    await using envoy = await startEnvoyProcess(optionsIn(folder.path));
    const port = Number(envoy.address.split(":").at(-1));
    const { envoy: options } = optionsIn(folder.path);
    const logFile = join(folder.path, "second.log");
    const second = startEnvoyProcess({
      envoy: { ...options, plain: { host: "127.0.0.1", port } },
      logFile,
    });
    await expect(second).rejects.toThrow(envoy.address);
    await waitUntil(() => readFileSync(logFile, "utf8").includes(envoy.address));
  });

  it("of a killed mesh is found and ended by the next one", async () => {
    using folder = temporaryFolder();
    const own = join(folder.path, "envoy");
    const options = optionsIn(folder.path);
    const state = createServiceState(folder.path);
    let died = false;
    await using envoy = await startEnvoyProcess({
      ...options,
      envoy: { ...options.envoy, folder: own },
      onStart: state.started,
      onDeath: () => {
        died = true;
      },
    });
    expect(readdirSync(own)).toContain("envoy.yaml");
    expect(state.read().map(({ name }) => name)).toEqual(["envoy"]);
    const { processId } = envoy;
    expect(await endOrphans(state)).toEqual(["envoy"]);
    await waitUntil(() => died, { what: "its end" });
    expect(state.read().some(({ process }) => process.pid === processId)).toBe(false);
    // The remaining process does not prevent the next one from starting.
    await envoy.listening();
    await envoy.stop();
    expect(existsSync(own)).toBe(false);
  });
});

it.skipIf(binary === undefined)("the start of Envoy ends when its signal aborts", async () => {
  using folder = temporaryFolder();
  const stopping = new AbortController();
  let processId: number | undefined;
  const starting = startEnvoyProcess({
    ...optionsIn(folder.path),
    signal: stopping.signal,
    onStart(_, started) {
      processId = started;
      stopping.abort(new Error("stopped by a signal"));
    },
  });
  await expect(starting).rejects.toThrow("stopped by a signal");
  expect(() => process.kill(processId ?? 0, 0)).toThrow("ESRCH");
});

it("addresses are printed in the format that clients accept", () => {
  expect(addressText({ host: "127.0.0.1", port: 80 })).toBe("127.0.0.1:80");
  expect(addressText({ host: "::1", port: 80 })).toBe("[::1]:80");
});
