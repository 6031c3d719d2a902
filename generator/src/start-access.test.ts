import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { systemClock } from "@devicemesh/client/clock";
import { createTestIssuer } from "@devicemesh/identity/testing/test-credentials";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { GeneratorService } from "@devicemesh/proto/es/devicemesh/v1/generator_service_pb.ts";
import { describe, expect, it } from "vitest";
import { runCli } from "./cli.ts";

/** Runs `serve` like the command line. */
function serve(...args: readonly string[]) {
  const interruption = new AbortController();
  const output = { stdout: "", stderr: "" };
  const exit = runCli({
    args: ["serve", "--port", "0", "--idle", "--log-level", "silent", "--target", "127.0.0.1:1", ...args],
    env: {},
    stdout: { write: (text) => (output.stdout += text) },
    stderr: { write: (text) => (output.stderr += text) },
    clock: systemClock,
    interrupted: interruption.signal,
  });
  return {
    exit,
    output,
    async [Symbol.asyncDispose]() {
      interruption.abort();
      await exit;
    },
  };
}

async function codeOf(call: Promise<unknown>): Promise<Code | "ok"> {
  try {
    await call;
    return "ok";
  } catch (error) {
    return ConnectError.from(error).code;
  }
}

describe("generator serve with tokens", () => {
  it("is controlled with the scope to control, and returns its status with the scope to read", async () => {
    using folder = temporaryFolder();
    const issuer = await createTestIssuer();
    const jwks = join(folder.path, "jwks.json");
    writeFileSync(jwks, issuer.publicKeys);
    await using running = serve("--jwks", jwks);
    await waitUntil(() => running.output.stdout !== "");
    const port = /:(\d+)\n/.exec(running.output.stdout)?.[1];
    const client = createClient(
      GeneratorService,
      createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` }),
    );
    const as = async (scope: string) => ({
      headers: { authorization: `Bearer ${await issuer.token({ scopes: [scope] })}` },
    });
    const [reader, controller] = [await as("devicemesh.read"), await as("devicemesh.generator")];
    expect(await codeOf(client.getGeneratorStatus({}))).toBe(Code.Unauthenticated);
    expect(await codeOf(client.getGeneratorStatus({}, reader))).toBe("ok");
    expect(await codeOf(client.startGenerator({ devices: 1 }, reader))).toBe(Code.PermissionDenied);
    expect(await codeOf(client.stopGenerator({}, reader))).toBe(Code.PermissionDenied);
    expect(await codeOf(client.startGenerator({ devices: 1 }, controller))).toBe("ok");
    expect((await client.getGeneratorStatus({}, reader)).status?.running).toBe(true);
  });

  it("does not listen beyond this machine without them, and reports what to do", async () => {
    await using running = serve("--host", "0.0.0.0");
    expect(await running.exit).toBe(2);
    expect(running.output.stderr).toContain("--jwks");
    expect(running.output.stderr).toContain("--insecure-beyond-loopback");
  });

  it.each([
    [["--cert", "a.pem"], "must be set together"],
    [["--cert", "a.pem", "--key", "b.pem"], "also needs the CA of ingest"],
    [["--ca", "nowhere.pem"], "nowhere.pem"],
  ])("reports what is wrong with the client certificate: %j", async (flags, text) => {
    await using running = serve(...flags);
    expect(await running.exit).toBe(2);
    expect(running.output.stderr).toContain(text);
  });
});
