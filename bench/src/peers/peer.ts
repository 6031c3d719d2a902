import type { PeerAnswer, PeerQuestion } from "./questions.ts";
import type { BenchReading } from "./readings.ts";

/** A system that stores readings and answers questions, running. */
export type StorePeer = AsyncDisposable & {
  readonly version: string;
  /** Settings that differ from the system's defaults, and why. */
  readonly settings: string;
  /** Whether an acknowledgement means that the readings are on disk. */
  readonly durable: boolean;
  /** Readings in a request: the size at which the system is cheapest, from a few that were tried. */
  readonly batchSize: number;
  /** Sends readings and resolves once the system acknowledges them. */
  send(readings: readonly BenchReading[]): Promise<void>;
  /** Resolves once questions see all acknowledged readings and the system has no background work left. */
  settle(): Promise<void>;
  ask(question: PeerQuestion): Promise<PeerAnswer>;
  /** CPU time of all its processes so far, in ms. */
  cpuMs(): number;
  memoryMib(): number;
  diskBytes(): Promise<number>;
};

/** How a peer starts. */
export type PeerOptions = {
  /** An empty folder for its data. */
  readonly folder: string;
  /** Folder of installed programs, kept between runs. */
  readonly cache: string;
  readonly progress: (line: string) => void;
};

/** A peer cannot be installed on this machine; the message names what is missing. */
export class PeerMissing extends Error {
  override readonly name = "PeerMissing";
}
