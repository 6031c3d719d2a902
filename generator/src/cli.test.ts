import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@devicemesh/client/clock";
import { startFakeIngest } from "@devicemesh/client/testing/fake-ingest";
import { createManualClock } from "@devicemesh/client/testing/manual-clock";
import { createStatusLine } from "@devicemesh/import/report/status-line";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "./cli.ts";
import { replayProgressText } from "./texts.ts";

const good = "device_id,timestamp,sensor,value\na,2010-01-01T01:00:00Z,temperature,1\n";

async function run(
  args: string[],
  { env = {}, isTTY = false, interrupted = new AbortController().signal } = {},
) {
  let stdout = "";
  let stderr = "";
  const code = await runCli({
    args,
    env,
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text), isTTY },
    clock: systemClock,
    interrupted,
  });
  return { code, stdout, stderr };
}

describe("command line", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "cli-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const write = (content: string) => {
    const file = join(folder, "recording.csv");
    writeFileSync(file, content);
    return file;
  };

  it("prints help: without a command and for each command", async () => {
    expect(await run(["--help"])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("replay FILE"),
      stderr: "",
    });
    const help = await run(["play", "--help"]);
    expect(help.code).toBe(0);
    for (const flag of ["--devices", "--late-rate", "--spill", "DEVICEMESH_GENERATOR_SEED"])
      expect(help.stdout).toContain(flag);
    const replay = await run(["replay", "--help"]);
    expect(replay.code).toBe(0);
    for (const flag of ["FILE", "--speed", "--times", "end-now"]) expect(replay.stdout).toContain(flag);
  });

  it("exits with 2 and the problem for invalid arguments", async () => {
    expect(await run([])).toMatchObject({ code: 2, stderr: expect.stringContaining("Usage") });
    expect(await run(["dance"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('"dance" is not a command'),
    });
    expect(await run(["replay"])).toMatchObject({ code: 2, stderr: expect.stringContaining("FILE") });
    expect(await run(["play", "--devices", "0"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--devices"),
    });
    expect(await run(["play", "--device", "3"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--devices"),
    });
    expect(await run(["replay", "x.csv", "--times", "start-now"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--speed"),
    });
    expect(await run(["replay", join(folder, "none.csv")])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("there is no such file"),
    });
    const wrongName = { DEVICEMESH_GENERATOR_DEVICE: "3" };
    expect(await run(["play"], { env: wrongName })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("DEVICEMESH_GENERATOR_DEVICE:"),
    });
  });

  it("ignores environment variables of the other command", async () => {
    await using ingest = await startFakeIngest();
    const env = { DEVICEMESH_GENERATOR_TARGET: ingest.target, DEVICEMESH_GENERATOR_DEVICES: "3" };
    expect(await run(["replay", write(good)], { env })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("1 acked"),
    });
  });

  it("replays, and exits with 0 if everything is acknowledged, with 1 and the reasons if a row is bad or rejected", async () => {
    await using ingest = await startFakeIngest({ refuses: ({ deviceId }) => deviceId === "b" });
    const target = ["--target", ingest.target];
    const fine = await run(["replay", write(good), ...target]);
    expect(fine).toMatchObject({ code: 0, stderr: "" });
    expect(fine.stdout).toMatch(/^1 rows, 1 sent, 1 acked, 0 refused, 0 bad rows, in /);
    const bad = await run(["replay", write(`${good}a,never,temperature,1\n`), ...target]);
    expect(bad).toMatchObject({ code: 1, stdout: expect.stringContaining("line 3: timestamp") });
    const refused = await run(["replay", write(`${good}b,2010-01-01T01:00:00Z,temperature,1\n`), ...target]);
    expect(refused).toMatchObject({ code: 1, stdout: expect.stringContaining("refused b|temperature|2010") });
    ingest.kill();
    const unavailable = await run(["replay", write(good), ...target, "--give-up-after", "10ms"]);
    expect(unavailable).toMatchObject({ code: 1, stdout: expect.stringContaining("gave up: UNAVAILABLE") });
    expect(unavailable.stdout).toContain("1 sent readings are not acknowledged");
  });

  it("simulates for a time, or until it is interrupted", async () => {
    await using ingest = await startFakeIngest();
    const args = ["play", "--target", ingest.target, "--devices", "4", "--interval", "10ms"];
    const timed = await run([...args, "--duration", "100ms", "--seed", "7", "--invalid-rate", "0"]);
    expect(timed).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("simulating 4 devices with seed 7 "),
    });
    expect(ingest.stored.length).toBeGreaterThan(4);
    const interruption = new AbortController();
    const simulating = run(args, { interrupted: interruption.signal });
    interruption.abort();
    expect(await simulating).toMatchObject({ code: 0, stdout: expect.stringContaining("0 in the outbox") });
  });

  it("exits with 1 if readings could not be delivered", async () => {
    const ingest = await startFakeIngest();
    ingest.kill();
    const args = [
      "play",
      "--target",
      ingest.target,
      "--duration",
      "50ms",
      "--stop-limit",
      "10ms",
      "--log-level",
      "silent",
    ];
    expect(await run(args)).toMatchObject({ code: 1, stdout: expect.stringMatching(/ [1-9][0-9]* dropped/) });
  });
});

describe("status line", () => {
  it("is updated in place on a terminal, within its width", () => {
    let text = "";
    const line = createStatusLine({
      output: { write: (more) => (text += more), isTTY: true, columns: 11 },
      clock: createManualClock(),
    });
    line.show("one");
    line.show("a longer text");
    line.end();
    line.end();
    expect(text).toBe("\r\x1b[2Kone\r\x1b[2Ka longer t\n");
  });

  it("is not cut on a terminal of unknown width", () => {
    let text = "";
    const output = { write: (more: string) => (text += more), isTTY: true, columns: 0 };
    createStatusLine({ output, clock: createManualClock() }).show("whole");
    expect(text).toContain("whole");
  });

  it("is a plain line every five seconds elsewhere", () => {
    let text = "";
    const clock = createManualClock();
    const line = createStatusLine({ output: { write: (more) => (text += more) }, clock });
    for (let second = 0; second <= 11; second++) {
      line.show(`after ${second}`);
      clock.advance(1000);
    }
    line.end();
    expect(text).toBe("after 5\nafter 10\n");
  });

  it("shows rows, rate, share and the remaining time", () => {
    const progress = {
      readRows: 2000,
      sent: 1999,
      acked: 999,
      refused: 0,
      bad: 1,
      bytesRead: 50,
      bytesTotal: 100,
      elapsedMs: 10_000,
      ackedPerSecond: 99.9,
      trouble: undefined,
    };
    expect(replayProgressText(progress)).toBe("2,000 rows, 999 acked (100/s), 1 bad, 25 %, 30.0 s left");
    expect(replayProgressText({ ...progress, trouble: "UNAVAILABLE: gone" })).toContain(
      "waiting for ingest: UNAVAILABLE: gone",
    );
  });
});
