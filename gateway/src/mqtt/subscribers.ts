import { fitsFilter } from "./topic-filters.ts";

/** A message that the broker forwards. */
export type BrokerMessage = { readonly topic: string; readonly payload: Buffer; readonly retain: boolean };

/** Receives the messages that match its filters. */
export type Subscriber = { deliver(message: BrokerMessage): void };

/** The subscriptions, and the retained messages for later subscribers. */
export type Subscribers = {
  /** Returns whether the subscription is new; `undefined` if there are too many. */
  subscribe(subscriber: Subscriber, filter: string): boolean | undefined;
  unsubscribe(subscriber: Subscriber, filter: string): void;
  /** Removes a subscriber. */
  leave(subscriber: Subscriber): void;
  /**
   * Forwards a message, and keeps it if it is retained and there is capacity; one without a payload clears its topic.
   */
  publish(message: BrokerMessage): void;
  /** Returns the retained messages that match a filter. */
  retained(filter: string): readonly BrokerMessage[];
};

/** The bounds of the broker's memory. */
export type SubscriberLimits = {
  /** Maximum number of subscriptions of one client. */
  readonly subscriptionsMax: number;
  /** Maximum number of subscriptions of all clients. */
  readonly allSubscriptionsMax: number;
  /** Maximum size of retained messages with their topics, in bytes; a message beyond it is not kept. */
  readonly retainedBytesMax: number;
};

/** Creates an empty registry. Filters are compared one by one: many devices publish, few clients subscribe. */
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
