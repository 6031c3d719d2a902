import { execFile } from "node:child_process";
import { appendFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { findGrpcurl } from "@devicemesh/engines/testing/host-tools";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type MeshProcess, startMesh } from "../testing/mesh-process.ts";

const certsMain = fileURLToPath(new URL("../../identity/src/certs/main.ts", import.meta.url));
const generatorMain = fileURLToPath(new URL("../../generator/src/main.ts", import.meta.url));
const grpcurl = findGrpcurl();
const publish = "devicemesh.v1.IngestService/PublishReadingBatch";
const listSeries = "devicemesh.v1.QueryService/ListSeries";

/** The result of a command: its output, or its error. */
type Outcome = { readonly ok: boolean; readonly text: string };

// Without grpcurl and Go to install it, the test command prints a notice, and CI counts these as failures.
describe.skipIf(grpcurl === undefined)("npm start with the credentials of npm run certs", () => {
  const folder = temporaryFolder();
  const certs = join(folder.path, "certs");
  let report: string;
  let mesh: MeshProcess;

  async function run(line: string): Promise<Outcome> {
    const here = line.replaceAll("127.0.0.1:8080", mesh.query).replaceAll("127.0.0.1:50051", mesh.ingest);
    const env = { ...process.env, PATH: `${dirname(grpcurl ?? "")}${delimiter}${process.env.PATH}` };
    try {
      return { ok: true, text: (await promisify(execFile)("sh", ["-c", here], { env })).stdout };
    } catch (error) {
      return { ok: false, text: String((error as { stderr?: unknown }).stderr) };
    }
  }

  const ask = (flags: string, rpc = listSeries) =>
    run(`grpcurl -cacert ${certs}/ca.pem ${flags} -d '{}' 127.0.0.1:8080 ${rpc}`);
  const bearer = (user: string) => `-H "authorization: Bearer $(cat ${certs}/user-${user}.jwt)"`;
  const send = (flags: string, ...ids: readonly string[]) => {
    const timestamp = new Date().toISOString();
    const readings = ids.map((id) => ({ device_id: id, timestamp, thermostat: { temperature: 21.5 } }));
    return run(
      `grpcurl -cacert ${certs}/ca.pem ${flags} -d '${JSON.stringify({ readings })}' 127.0.0.1:50051 ${publish}`,
    );
  };
  const shown = (name: string) => `-cert ${certs}/${name}.pem -key ${certs}/${name}-key.pem`;
  /** Returns the line of the deny list that the report gives for a credential. */
  const revocationOf = (what: string): string => {
    const found = report.split("\n").find((line) => line.includes(` ${what} `));
    return /revoke: (.+)$/.exec(found ?? "")?.[1] ?? "";
  };

  beforeAll(async () => {
    const asked = ["--out", certs, "--devices", "oven,lamp"];
    report = (await promisify(execFile)(process.execPath, [certsMain, ...asked])).stdout;
    const flags = /npm start -- (.+)/.exec(report)?.[1]?.split(" ") ?? [];
    mesh = await startMesh(join(folder.path, "data"), flags);
  });
  afterAll(async () => {
    await mesh?.stop();
    folder[Symbol.dispose]();
  });

  it("simulates devices with the gateway's certificate", async () => {
    await waitUntil(async () => (await ask(bearer("reader"))).text.includes("demo-thermostat-0001"), {
      timeoutMs: 15_000,
      what: "the first readings of the generator",
    });
  });

  it("answers every call that npm run certs prints", async () => {
    const lines = report.split("\n").filter((line) => line.startsWith("  grpcurl "));
    expect(lines.length).toBe(6);
    for (const line of lines) expect(await run(line)).toMatchObject({ ok: true });
  });

  it("shows its services without a token, and answers health checks", async () => {
    expect((await run(`grpcurl -cacert ${certs}/ca.pem 127.0.0.1:8080 list`)).text).toContain("QueryService");
    expect((await ask("", "grpc.health.v1.Health/Check")).text).toContain("SERVING");
    expect((await run(`grpcurl -cacert ${certs}/ca.pem 127.0.0.1:50051 list`)).text).toContain(
      "IngestService",
    );
  });

  it("accepts a recording from the generator's command with a gateway's certificate, and not without", async () => {
    const file = join(folder.path, "recording.csv");
    writeFileSync(
      file,
      "device_id,timestamp,sensor,value\nseattle-a,2010-01-01T01:00:00Z,temperature,1\nelsewhere,2010-01-01T01:00:00Z,temperature,1\n",
    );
    const replay = (flags: string) =>
      run(
        `${process.execPath} ${generatorMain} replay ${file} --target 127.0.0.1:50051 --give-up-after 100ms ${flags} 2>&1 || true`,
      );
    const gateway = `--ca ${certs}/ca.pem --cert ${certs}/gateway-seattle.pem --key ${certs}/gateway-seattle-key.pem`;
    const { text } = await replay(gateway);
    expect(text).toContain("refused elsewhere|temperature|");
    expect((await ask(bearer("reader"))).text).toContain("seattle-a");
    expect((await ask(bearer("reader"))).text).not.toContain("elsewhere");
    expect((await replay(`--ca ${certs}/ca.pem`)).text).toContain("UNAUTHENTICATED");
  });

  it("accepts readings of the certificate's device only, and rejects each other with the reason", async () => {
    const answer = JSON.parse((await send(shown("device-oven"), "oven", "lamp")).text);
    expect(answer).toMatchObject({ accepted: "1", refused: "1" });
    expect(answer.refusedReadings).toMatchObject([
      { ordinal: "1", fieldPath: "device_id", ruleId: "device_id.identity" },
    ]);
    expect(answer.refusedReadings[0].text).toContain("spiffe://devicemesh/device/oven");
  });

  it("accepts no readings without a certificate, nor in cleartext", async () => {
    const refused = await send("", "oven");
    expect(refused.ok).toBe(false);
    expect(refused.text).toContain("Unauthenticated");
    expect(refused.text).toContain("CERTIFICATE_MISSING");
    expect((await run(`grpcurl -plaintext -max-time 5 127.0.0.1:50051 list`)).ok).toBe(false);
  });

  it("answers no query without a token, and none that its scopes do not cover", async () => {
    const anonymous = await ask("");
    expect(anonymous.text).toContain("Unauthenticated");
    expect(anonymous.text).toContain("TOKEN_MISSING");
    const reader = await ask(bearer("reader"), "devicemesh.v1.GeneratorService/StopGenerator");
    expect(reader.text).toContain("PermissionDenied");
    expect(reader.text).toContain("devicemesh.generator");
    expect((await ask(bearer("operator"), "devicemesh.v1.GeneratorService/StopGenerator")).ok).toBe(true);
  });

  it("revokes a certificate and a token with the printed lines, without a restart", async () => {
    appendFileSync(join(certs, "denied.txt"), `${revocationOf("device lamp")}\n`);
    await waitUntil(async () =>
      (await send(shown("device-lamp"), "lamp")).text.includes("CERTIFICATE_REVOKED"),
    );
    expect((await send(shown("device-oven"), "oven")).ok).toBe(true);
    appendFileSync(join(certs, "denied.txt"), `${revocationOf("user operator")}\n`);
    await waitUntil(async () => (await ask(bearer("operator"))).text.includes("TOKEN_REVOKED"));
    expect((await ask(bearer("reader"))).ok).toBe(true);
  });
});
