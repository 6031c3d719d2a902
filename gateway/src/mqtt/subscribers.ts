import { fitsFilter } from "./topic-filters.ts";

/** A message that the broker passes on. */
export type BrokerMessage = { readonly topic: string; readonly payload: Buffer; readonly retain: boolean };

/** Receives the messages of its filters. */
export type Subscriber = { deliver(message: BrokerMessage): void };

/** Who subscribes to what, and the messages that are kept for those who subscribe later. */
export type Subscribers = {
  /** Returns whether the subscription is new; `undefined` if there are too many. */
  subscribe(subscriber: Subscriber, filter: string): boolean | undefined;
  unsubscribe(subscriber: Subscriber, filter: string): void;
  /** Forgets a subscriber. */
  leave(subscriber: Subscriber): void;
  /** Passes a message on, and keeps it if it is retained and there is room; one without a payload clears its topic. */
  publish(message: BrokerMessage): void;
  /** The retained messages that fit a filter. */
  retained(filter: string): readonly BrokerMessage[];
};

/** The bounds of the broker's memory. */
export type SubscriberLimits = {
  /** Subscriptions of one client. */
  readonly subscriptionsMax: number;
  /** Subscriptions of all clients. */
  readonly allSubscriptionsMax: number;
  /** Bytes of retained messages with their topics; one that does not fit is not kept. */
  readonly retainedBytesMax: number;
};

/** No subscribers yet. Filters are compared one by one: devices publish, few clients subscribe. */
export function createSubscribers(limits: SubscriberLimits): Subscribers {
  const filtersOf = new Map<Subscriber, Map<string, readonly string[]>>();
  const kept = new Map<string, BrokerMessage>();
  let keptBytes = 0;
  let all = 0;
  const bytesOf = ({ topic, payload }: BrokerMessage): number => topic.length * 2 + payload.length + 100;

  function keep(message: BrokerMessage): void {
    const previous = kept.get(message.topic);
    if (previous !== undefined) {
      keptBytes -= bytesOf(previous);
      kept.delete(message.topic);
    }
    const bytes = bytesOf(message);
    if (message.payload.length === 0 || keptBytes + bytes > limits.retainedBytesMax) return;
    keptBytes += bytes;
    kept.set(message.topic, message);
  }
  return {
    subscribe(subscriber, filter) {
      const filters = filtersOf.get(subscriber) ?? new Map<string, readonly string[]>();
      if (filters.has(filter)) return false;
      if (filters.size >= limits.subscriptionsMax || all >= limits.allSubscriptionsMax) return undefined;
      all += 1;
      filters.set(filter, filter.split("/"));
      filtersOf.set(subscriber, filters);
      return true;
    },
    unsubscribe(subscriber, filter) {
      if (filtersOf.get(subscriber)?.delete(filter)) all -= 1;
    },
    leave(subscriber) {
      all -= filtersOf.get(subscriber)?.size ?? 0;
      filtersOf.delete(subscriber);
    },
    publish(message) {
      if (message.retain) keep(message);
      if (all === 0) return;
      const levels = message.topic.split("/");
      const live = { ...message, retain: false };
      for (const [subscriber, filters] of filtersOf) {
        for (const filter of filters.values()) {
          if (!fitsFilter(filter, levels)) continue;
          subscriber.deliver(live);
          break;
        }
      }
    },
    retained(filter) {
      const levels = filter.split("/");
      return [...kept.values()].filter(({ topic }) => fitsFilter(levels, topic.split("/")));
    },
  };
}
