import { Code, ConnectError } from "@connectrpc/connect";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { collections, type DuplicateWindowDocument } from "@devicemesh/pipeline";
import { alignDown, type DeviceMessage, identityOf } from "@devicemesh/proto";
import { ask, createOracle, type Question } from "@devicemesh/query/testing/oracle/index";
import { expect } from "vitest";
import type { RealMesh } from "./real-mesh.ts";
import type { SteadyLoad } from "./steady-load.ts";
import { everyMs } from "./waits.ts";

/**
 * Expects that the readings of a finished load are stored, each once and no others of its devices, and that answers
 * over them equal brute force: all of it, a span with partial windows, one device, buckets.
 */
export async function expectExact(mesh: RealMesh, load: SteadyLoad, prefix: string): Promise<void> {
  expect(load.acked.size).toBe(load.sent.size);
  const stored = new Set(
    [...(await mesh.storedIdentities())].filter((identity) => identity.startsWith(prefix)),
  );
  expect([...load.acked].filter((identity) => !stored.has(identity)).slice(0, 5)).toEqual([]);
  expect([...stored].filter((identity) => !load.sent.has(identity)).slice(0, 5)).toEqual([]);
  const readings = [...load.sent.values()];
  expect(await answered(() => differencesOf(mesh, readings))).toEqual([]);
}

/** Time limit for retries of unanswered queries: a pipeline that has just recovered has a large backlog. */
const answerLimitMs = 240_000;

/** Errors after which a caller retries: no answer is not a wrong one. */
const noAnswer: ReadonlySet<Code> = new Set([
  Code.Unavailable,
  Code.DeadlineExceeded,
  Code.ResourceExhausted,
  // A client with a long computation answers no ping, and its connection is closed.
  Code.Canceled,
]);

/** Returns the first answer. @throws any other error, and the last one after the limit. */
async function answered<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  const deadlineMs = performance.now() + answerLimitMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!noAnswer.has(ConnectError.from(error).code) || performance.now() > deadlineMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }
}

/**
 * Returns the differences between answers over these readings and brute force. Their devices must be used by them
 * alone.
 */
export async function differencesOf(mesh: RealMesh, readings: readonly DeviceMessage[]): Promise<string[]> {
  const oracle = createOracle();
  oracle.accept(readings);
  const exam = { query: mesh.query, oracle, windowMs };
  const devices = [...new Set(readings.map(({ deviceId }) => deviceId))];
  const times = readings.map(({ timestampMs }) => timestampMs).sort((a, b) => a - b);
  const at = (share: number) => ({ ms: times[Math.floor((times.length - 1) * share)] as number, nanos: 0 });
  const all: Question = { deviceIds: devices, sensors: [] };
  const differences: string[] = [];
  for (const question of [
    all,
    { ...all, since: at(0.2), to: { ms: at(0.9).ms + 1, nanos: 0 } },
    { ...all, deviceIds: devices.slice(0, 1) },
    { ...all, sensors: ["pressure"], since: at(0.5) },
  ] satisfies Question[]) {
    differences.push(...(await ask(exam, question, { kind: "aggregates", grouping: "series" })));
  }
  differences.push(
    ...(await ask(
      exam,
      { ...all, since: at(0.3) },
      { kind: "buckets", grouping: "sensor", resolution: { kind: "maxPoints", points: 100 }, fill: "none" },
    )),
  );
  return differences.slice(0, 20);
}

/**
 * Resolves when an answer over all time counts these readings from windows: they are sealed, and windows with
 * duplicates are repaired. Only readings of such windows may still come from raw readings, until the second level has
 * folded their segment, which takes up to ten minutes (decision 005). Their devices must be used by them alone.
 */
export async function expectAllFromWindows(
  mesh: RealMesh,
  readings: Iterable<DeviceMessage>,
  { timeoutMs = 120_000 }: { readonly timeoutMs?: number } = {},
): Promise<void> {
  const all = [...readings];
  const deviceIds = [...new Set(all.map(({ deviceId }) => deviceId))];
  const identities = new Map(all.map((reading) => [identityOf(reading), reading]));
  let seen = "";
  await waitUntil(
    async () => {
      const { coverage } = await answered(() => mesh.query.getAggregates({ deviceIds }));
      const [fromWindows, fromRaw] = [Number(coverage?.fromWindows), Number(coverage?.fromRaw)];
      const marked = await markedWindows(mesh, deviceIds);
      const inMarked = [...identities.values()].filter((reading) => marked.all.has(windowOf(reading))).length;
      seen = `${fromWindows} from windows, ${fromRaw} from raw readings, ${inMarked} in marked windows, ${marked.dirty} of these not repaired`;
      return fromWindows + fromRaw === identities.size && fromRaw <= inMarked && marked.dirty === 0;
    },
    { timeoutMs, everyMs, what: `all ${identities.size} readings from windows` },
  ).catch((error: Error) => {
    throw new Error(`${error.message}; last: ${seen}`);
  });
}

/** Returns the windows of these devices with duplicates, and the number of them that no repair covers. */
async function markedWindows({ db }: RealMesh, deviceIds: readonly string[]) {
  const documents = await db
    .collection<DuplicateWindowDocument>(collections.duplicateWindows)
    .find({ device_id: { $in: [...deviceIds] } })
    .toArray();
  const isDirty = ({ last_repeat: last, repair }: DuplicateWindowDocument) =>
    repair === undefined || repair.through.getTime() <= last.getTime();
  return {
    all: new Set(
      documents.map(
        ({ device_id, sensor, window_start }) => `${device_id}|${sensor}|${window_start.getTime()}`,
      ),
    ),
    dirty: documents.filter(isDirty).length,
  };
}

function windowOf({ deviceId, sensor, timestampMs }: DeviceMessage): string {
  return `${deviceId}|${sensor}|${alignDown(timestampMs, windowMs)}`;
}

/** The finest windows of the real mesh. */
const windowMs = 10_000;
