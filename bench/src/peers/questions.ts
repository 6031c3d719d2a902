import { sensors } from "@devicemesh/proto";
import { createRandom } from "../load/fleet.ts";
import type { BenchReading, BenchReadings } from "./readings.ts";

/** Average, minimum, maximum and count of `[sinceMs, toMs)`: of one series, or of a sensor of all devices. */
export type PeerQuestion = {
  readonly sensor: string;
  /** All devices with this sensor if absent. */
  readonly deviceId?: string;
  readonly sinceMs: number;
  readonly toMs: number;
};

/** The answer to a question; a count of 0 comes without figures. */
export type PeerAnswer = {
  readonly count: number;
  readonly average?: number;
  readonly minimum?: number;
  readonly maximum?: number;
};

/** A question with the right answer. */
export type JudgedQuestion = { readonly question: PeerQuestion; readonly expected: PeerAnswer };

/** Makes `count` questions with their answers: every other one is about one series. Bounds fall on any millisecond. */
export function createPeerQuestions(readings: BenchReadings, count: number): JudgedQuestion[] {
  const answer = createBruteForce(readings.distinct);
  return createQuestions(readings, count, 23).map((question) => ({ question, expected: answer(question) }));
}

/** Other questions of the same kinds, which warm a server up and are not judged. */
export function createWarmUpQuestions(readings: BenchReadings, count: number): PeerQuestion[] {
  return createQuestions(readings, count, 29);
}

function createQuestions(readings: BenchReadings, count: number, seed: number): PeerQuestion[] {
  const random = createRandom(seed);
  const spanMs = readings.toMs - readings.sinceMs;
  return Array.from({ length: count }, (_, index) => {
    const lengthMs = Math.max(1000, Math.floor(1000 * (spanMs / 1000) ** random()));
    const sinceMs = readings.sinceMs + Math.floor(random() * Math.max(1, spanMs - lengthMs));
    const place = Math.floor(random() * readings.distinct.length);
    const { deviceId, sensor } = readings.distinct[place]!;
    return index % 2 === 0
      ? { sensor, deviceId, sinceMs, toMs: sinceMs + lengthMs }
      : { sensor: sensors[index % sensors.length]!.sensor, sinceMs, toMs: sinceMs + lengthMs };
  });
}

/** Whether an answer equals the right one: counts and extremes to the digit, the average within rounding. */
export function isExact(answer: PeerAnswer, expected: PeerAnswer): boolean {
  if (answer.count !== expected.count) return false;
  if (expected.count === 0) return true;
  return (
    answer.minimum === expected.minimum &&
    answer.maximum === expected.maximum &&
    answer.average !== undefined &&
    Math.abs(answer.average - expected.average!) <= Math.abs(expected.average!) * averageTolerance
  );
}

/** Systems add in different orders; doubles then differ in the last digits. */
const averageTolerance = 1e-9;

/** Answers questions by going over all readings of the sensor. */
export function createBruteForce(distinct: readonly BenchReading[]): (question: PeerQuestion) => PeerAnswer {
  const bySensor = Map.groupBy(distinct, ({ sensor }) => sensor);
  return ({ sensor, deviceId, sinceMs, toMs }) => {
    let count = 0;
    let sum = 0;
    let minimum = Number.POSITIVE_INFINITY;
    let maximum = Number.NEGATIVE_INFINITY;
    for (const reading of bySensor.get(sensor) ?? []) {
      if (reading.timestampMs < sinceMs || reading.timestampMs >= toMs) continue;
      if (deviceId !== undefined && reading.deviceId !== deviceId) continue;
      count++;
      sum += reading.value;
      minimum = Math.min(minimum, reading.value);
      maximum = Math.max(maximum, reading.value);
    }
    return count === 0 ? { count } : { count, average: sum / count, minimum, maximum };
  };
}
