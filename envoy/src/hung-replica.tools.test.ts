import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { startBackend } from "../testing/backend-fixture.ts";
import { startBackendProcess } from "../testing/backend-process-fixture.ts";
import { envoyBinary, localhost, quietEnvoy } from "../testing/edge-fixture.ts";
import { createRawClient } from "../testing/raw-client-fixture.ts";
import { startTwoReplicas, stored } from "../testing/replica-process-fixture.ts";
import { createUnitClient, readingsOf } from "../testing/unit-client-fixture.ts";
import { startEnvoy } from "./start-envoy.ts";

const question = "/devicemesh.v1.QueryService/ListSeries";

/** The time limits of one replica, shortened: 30 s for the response to a unit, 65 s for a query. */
const impatient = (text: string) =>
  text
    .replaceAll("per_try_timeout: 30s", "per_try_timeout: 3s")
    .replaceAll(/per_try_timeout: (?!3)\d+s/g, "per_try_timeout: 1s")
    .replaceAll(/\btimeout: 65s/g, "timeout: 4s");

/** The same for a ping: 5 s and 10 s. */
const pinging = (text: string) =>
  text.replaceAll("{interval: 5s, timeout: 10s}", "{interval: 1s, timeout: 1s}");

describe.skipIf(envoyBinary === undefined)("one of two replicas that hangs", () => {
  it("delays units by at most its time limit, and is excluded after some health checks", async () => {
    using folder = temporaryFolder();
    await using running = await startTwoReplicas(folder.path, impatient);
    const { files, replicas, envoy } = running;
    const [hung] = replicas;
    const isLeftAlone = async () => {
      const { body } = await envoy.admin.get("/clusters");
      return body.includes(`ingest::127.0.0.1:${hung?.port}::health_flags::/failed_active_hc`);
    };

    let stop = false;
    let answered = 0;
    const acknowledged: string[] = [];
    const failures: unknown[] = [];
    async function sendUnits(device: string): Promise<void> {
      using client = createUnitClient(`127.0.0.1:${envoy.plain.port}`);
      for (let unit = 0; !stop; unit++) {
        const frames = Array.from({ length: 5 }, (_, i) => readingsOf(device, unit * 100 + i * 20, 20));
        const outcome = await client.send(frames);
        answered++;
        if (outcome.kind === "failed") failures.push(outcome);
        else acknowledged.push(...frames.flat().map(({ timestamp }) => `${device}@${timestamp?.seconds}`));
      }
    }
    const sending = Array.from({ length: 6 }, (_, i) => sendUnits(`hung-${i}`));
    await waitUntil(() => answered > 60, { timeoutMs: 30_000, what: "the load" });
    hung?.child.kill("SIGSTOP");
    await waitUntil(isLeftAlone, { timeoutMs: 30_000, what: "it is left alone" });
    const before = answered;
    await waitUntil(() => answered > before + 60, { timeoutMs: 60_000, what: "the load flows on" });
    hung?.child.kill("SIGCONT");
    stop = true;
    await Promise.all(sending);

    expect(failures).toEqual([]);
    const kept = new Set(files.flatMap((file) => [...stored(file)]));
    expect(acknowledged.filter((reading) => !kept.has(reading))).toEqual([]);
    const { body } = await envoy.admin.get("/stats?filter=^cluster.ingest.upstream_rq_per_try_timeout$");
    expect(Number(/: (\d+)/.exec(body)?.[1])).toBeGreaterThan(0);
  }, 120_000);

  it("has its queries retried on another replica", async () => {
    await using hung = await startBackendProcess();
    await using other = await startBackend();
    await using envoy = await startEnvoy({
      ...quietEnvoy,
      openCallsMs: 0,
      ingest: [localhost(other.port)],
      query: [localhost(hung.port), localhost(other.port)],
      generator: [localhost(other.port)],
      edit: pinging,
    });
    using client = createRawClient(`127.0.0.1:${envoy.plain.port}`);
    const ask = () => Promise.all(Array.from({ length: 12 }, () => client.call(question)));
    const answered = (outcomes: Awaited<ReturnType<typeof ask>>) =>
      expect(outcomes.map(({ code }) => code)).toEqual(outcomes.map(() => 0));
    answered(await ask());
    hung.child.kill("SIGSTOP");
    const before = other.attempts(question);
    answered(await ask());
    expect(other.attempts(question)).toBe(before + 12);
    const { body } = await envoy.admin.get("/stats?filter=^cluster.query.upstream_rq_retry$");
    expect(Number(/: (\d+)/.exec(body)?.[1])).toBeGreaterThan(0);
  }, 60_000);
});

describe.skipIf(envoyBinary === undefined)("a query that takes too long", () => {
  it("is not retried, because the database continues with it and a retry would double its load", async () => {
    await using slow = await startBackend("silent");
    await using other = await startBackend("silent");
    await using envoy = await startEnvoy({
      ...quietEnvoy,
      openCallsMs: 0,
      ingest: [localhost(other.port)],
      query: [localhost(slow.port), localhost(other.port)],
      generator: [localhost(other.port)],
      edit: impatient,
    });
    using client = createRawClient(`127.0.0.1:${envoy.plain.port}`);
    const outcomes = await Promise.all(Array.from({ length: 12 }, () => client.call(question)));
    expect(outcomes.every(({ code }) => code !== 0)).toBe(true);
    expect(slow.attempts(question) + other.attempts(question)).toBe(outcomes.length);
  }, 60_000);
});
