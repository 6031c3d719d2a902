import { type DeviceMessage, identityOf, sensors } from "@devicemesh/proto";
import { createPublisher, type Publisher, readingOf } from "../publisher.ts";

/** Readings at a steady rate, whatever happens to ingest: each unit is sent until it is acknowledged. */
export type SteadyLoad = {
  /** All readings that were ever sent, by identity. */
  readonly sent: ReadonlyMap<string, DeviceMessage>;
  /** The acknowledged identities. */
  readonly acked: ReadonlySet<string>;
  /** Number of readings that were sent again after their acknowledgement, half of them with another value. */
  readonly repeated: number;
  /** Number of units that were sent again because their stream broke. */
  readonly resent: number;
  /** Called for each unit when it is acknowledged. */
  onAck: ((messages: readonly DeviceMessage[]) => void) | undefined;
  /** Stops making units, and resolves when every sent unit is acknowledged. */
  finish(): Promise<void>;
  /** Cuts all connections. */
  abort(): void;
};

/** The options of a load. */
export type SteadyLoadOptions = {
  /** host:port of the server, or its current address: called for each unit, like a balancer. */
  readonly target: string | (() => string);
  /** Prefix of the device ids. */
  readonly prefix: string;
  readonly devices?: number;
  readonly readingsPerSecond?: number;
  /** One reading in this number is late. */
  readonly lateEvery?: number;
  /** How late, spread evenly up to this, in ms; by default a minute, an hour or a day. */
  readonly lateUpToMs?: number;
  /** After this number of readings, an acknowledged one is sent again; none by default. */
  readonly duplicateEvery?: number;
  /** Time limit of a unit before it counts as broken, in ms. */
  readonly unitLimitMs?: number;
};

/** Interval between units. */
const unitIntervalMs = 200;
/** Delay before a broken unit is sent again. */
const retryDelayMs = 250;
/** Number of units in flight: beyond it, the load waits, like a full outbox. */
const unitsMax = 400;
// Not multiples of the interval between readings, so that no late reading has the identity of another.
const latenessMs = [61_007, 3_600_011, 86_400_013] as const;

/** Starts the load at once: by default 500 readings a second of 50 devices, some of them late. */
export function startSteadyLoad(options: SteadyLoadOptions): SteadyLoad {
  const { target, prefix, devices = 50, readingsPerSecond = 500, unitLimitMs = 60_000 } = options;
  const { lateEvery = 13, lateUpToMs, duplicateEvery = Number.POSITIVE_INFINITY } = options;
  const publishers = new Map<string, Publisher>();
  const sent = new Map<string, DeviceMessage>();
  const acked = new Set<string>();
  const ackedMessages: DeviceMessage[] = [];
  const underWay = new Set<Promise<void>>();
  const aborting = new AbortController();
  const perUnit = Math.round((readingsPerSecond * unitIntervalMs) / 1000);
  const beginMs = Date.now();
  let number = 0;
  let resent = 0;
  let repeated = 0;

  function latenessOf(place: number): number {
    if (place % lateEvery !== 0) return 0;
    if (lateUpToMs === undefined) return latenessMs[place % latenessMs.length] as number;
    // Steps of the golden ratio: spread evenly, and readings that follow each other far apart.
    return Math.ceil(((place * 0.618_033_988_749_895) % 1) * lateUpToMs);
  }

  function message(place: number): DeviceMessage {
    const { sensor, minimum, maximum } = sensors[place % sensors.length] as (typeof sensors)[number];
    const late = latenessOf(place);
    // The index in the last digits keeps identities different, whatever the clock does.
    const timestampMs =
      beginMs - late + Math.floor(place / devices) * Math.round((devices * 1000) / readingsPerSecond);
    const share = (place * 7919) % 1000;
    return {
      deviceId: `${prefix}${place % devices}`,
      sensor,
      timestampMs,
      value: minimum + ((maximum - minimum) * share) / 1000,
    };
  }

  /** Acknowledged readings, whose values are the ones that count. */
  function duplicatesFor(count: number): DeviceMessage[] {
    const duplicates: DeviceMessage[] = [];
    for (
      ;
      ackedMessages.length > 0 && (repeated + 1) * duplicateEvery <= number && duplicates.length < count;
    ) {
      const one = ackedMessages[(repeated * 7919) % ackedMessages.length] as DeviceMessage;
      const bounds = sensors.find(({ sensor }) => sensor === one.sensor) as (typeof sensors)[number];
      const other = one.value === bounds.minimum ? bounds.maximum : bounds.minimum;
      duplicates.push(repeated++ % 2 === 0 ? one : { ...one, value: other });
    }
    return duplicates;
  }

  function publisherOf(where: SteadyLoadOptions["target"]): Publisher {
    const address = typeof where === "string" ? where : where();
    const publisher = publishers.get(address) ?? createPublisher(address);
    publishers.set(address, publisher);
    return publisher;
  }
  function closePublishers(): void {
    for (const publisher of publishers.values()) publisher[Symbol.dispose]();
  }

  async function deliver(messages: readonly DeviceMessage[]): Promise<void> {
    const readings = messages.map(readingOf);
    while (!aborting.signal.aborted) {
      try {
        await publisherOf(target).publish(readings, { limitMs: unitLimitMs });
        for (const one of messages) {
          const identity = identityOf(one);
          if (!acked.has(identity)) ackedMessages.push(one);
          acked.add(identity);
        }
        load.onAck?.(messages);
        return;
      } catch {
        resent++;
        await pause(retryDelayMs, aborting.signal);
      }
    }
  }

  const timer = setInterval(() => {
    if (underWay.size >= unitsMax) return;
    const messages: DeviceMessage[] = [];
    for (let count = 0; count < perUnit; count++) {
      const one = message(number++);
      const identity = identityOf(one);
      // Spread over days, a late reading may meet the identity of another.
      if (sent.has(identity)) continue;
      sent.set(identity, one);
      messages.push(one);
    }
    const delivery = deliver([...messages, ...duplicatesFor(messages.length)]).finally(() =>
      underWay.delete(delivery),
    );
    underWay.add(delivery);
  }, unitIntervalMs);

  const load: SteadyLoad = {
    sent,
    acked,
    get repeated() {
      return repeated;
    },
    get resent() {
      return resent;
    },
    onAck: undefined,
    async finish() {
      clearInterval(timer);
      await Promise.all(underWay);
      closePublishers();
    },
    abort() {
      clearInterval(timer);
      aborting.abort();
      closePublishers();
    },
  };
  return load;
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, delayMs);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
