import { findEnvoy, findGrpcurl } from "@devicemesh/engines/testing/host-tools";
import { startEdge } from "@devicemesh/envoy/testing/edge-fixture";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type ExampleMeshes,
  readExample,
  runCommand,
  runShown,
  startExampleMeshes,
} from "../../testing/examples/example-commands-fixture.ts";

const { folder, commands } = readExample("grpcurl");

// Without Go and Python to install them, the test command prints a notice, and CI counts these as failures.
describe.skipIf(findGrpcurl() === undefined || findEnvoy() === undefined)("grpcurl, through Envoy", () => {
  let meshes: ExampleMeshes;
  beforeAll(async () => {
    meshes = await startExampleMeshes();
  });
  afterAll(() => meshes?.[Symbol.asyncDispose]());

  it("lists the services of every backend on the one address", async () => {
    // The single process has no front door of its own; this query knows the services beside it, like in the stack.
    await using edge = await startEdge();
    const { command = "", shown = "" } = commands.find(({ name }) => name === "list") ?? {};
    await runShown(command.replace("127.0.0.1:8080", edge.address), shown, folder);
  });

  it.each(commands.filter(({ name }) => name !== "list"))(
    "prints what its page shows: $name",
    async ({ command, shown }) => {
      await runShown(meshes.here(command), shown, folder);
    },
  );

  it.each(["plain", "secure"] as const)("has stored exactly the sent readings: %s", async (where) => {
    expect(await meshes.storedIn(where, "demo-grpcurl-")).toEqual([
      { deviceId: "demo-grpcurl-barometer", sensor: "pressure", count: 1n, average: 1013.25 },
      { deviceId: "demo-grpcurl-hygrometer", sensor: "humidity", count: 1n, average: 40 },
      { deviceId: "demo-grpcurl-thermostat", sensor: "temperature", count: 3n, average: 20 },
    ]);
  });

  it("gets no answer without the token, and stores nothing without the certificate", async () => {
    const asking = commands.find(({ name }) => name === "unary, TLS with a token")?.command ?? "";
    const anonymous = await runCommand(meshes.here(asking.replace(/-H "[^"]*"/, "")), folder);
    expect(anonymous.code).not.toBe(0);
    expect(anonymous.stderr).toContain("Unauthenticated");
    const sending =
      commands.find(({ name }) => name === "client stream, TLS with a certificate")?.command ?? "";
    const stranger = await runCommand(meshes.here(sending.replace(/-cert \S+ -key \S+/, "")), folder);
    expect(stranger.code).not.toBe(0);
    expect(stranger.stdout).toBe("");
  });
});
