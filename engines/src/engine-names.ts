/**
 * The parts that can be started: `kafka` is one broker and `kafka:3` three; `connect` needs either; `spark` runs in one
 * process and `spark:cluster` with a master and two workers.
 */
export const engineParts = [
  "kafka",
  "kafka:3",
  "connect",
  "mongo",
  "spark",
  "spark:cluster",
  "envoy",
] as const;

export type EnginePart = (typeof engineParts)[number];

/** The engines, each one process, in the order in which they stop; they start in reverse order. */
export const engineNames = [
  "envoy",
  "spark",
  "spark-worker-1",
  "spark-worker-2",
  "spark-master",
  "connect",
  "kafka-1",
  "kafka-2",
  "kafka-3",
  "mongo",
] as const;

export type EngineName = (typeof engineNames)[number];

/** Every listener with a configurable port. */
export const listenerNames = [
  "kafka-1",
  "kafka-2",
  "kafka-3",
  "kafka-1-controller",
  "kafka-2-controller",
  "kafka-3-controller",
  "connect",
  "mongo",
  "spark",
  "spark-driver",
  "spark-block-manager",
  "spark-master",
  "spark-master-page",
  "spark-worker-1",
  "spark-worker-2",
  "spark-worker-1-page",
  "spark-worker-2-page",
] as const;

export type ListenerName = (typeof listenerNames)[number];

/** A port for each listener. */
export type Ports = Readonly<Record<ListenerName, number>>;

/**
 * Checks the requested parts.
 * @throws Error for two sizes of one engine, and for Connect without Kafka.
 */
export function checkParts(parts: readonly EnginePart[]): void {
  const has = (part: EnginePart): boolean => parts.includes(part);
  if (has("kafka") && has("kafka:3")) throw new Error("kafka and kafka:3 cannot be combined");
  if (has("spark") && has("spark:cluster")) throw new Error("spark and spark:cluster cannot be combined");
  if (has("connect") && !has("kafka") && !has("kafka:3")) {
    throw new Error("connect needs kafka or kafka:3 beside it");
  }
}

/** Returns the number of brokers of the parts. */
export function brokerCount(parts: readonly EnginePart[]): number {
  if (parts.includes("kafka:3")) return 3;
  return parts.includes("kafka") ? 1 : 0;
}
