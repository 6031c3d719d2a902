import type { ISubscribePacket, MqttVersion, Packet } from "./mqtt-packets.ts";
import { reasonCodes } from "./reason-codes.ts";
import type { SessionBroker } from "./session-broker.ts";
import type { Subscriber } from "./subscribers.ts";
import { isTopicFilter } from "./topic-filters.ts";

type Subscribing = {
  readonly version: MqttVersion;
  readonly subscriber: Subscriber;
  readonly broker: Pick<SessionBroker, "subscribers">;
  send(packet: Packet): void;
};

/** Answers SUBSCRIBE: every subscription is granted with QoS 0, or rejected. Retained messages follow. */
export function subscribe(
  { messageId = 0, subscriptions }: ISubscribePacket,
  { version, subscriber, mayRead, broker, send }: Subscribing & { readonly mayRead: boolean },
): void {
  const retained: string[] = [];
  const granted = subscriptions.map(({ topic, rh = 0 }) => {
    if (!mayRead) return reasonCodes.notAuthorized;
    if (topic.startsWith("$share/")) return reasonCodes.sharedUnsupported;
    if (!isTopicFilter(topic)) return reasonCodes.topicFilterInvalid;
    const isNew = broker.subscribers.subscribe(subscriber, topic);
    if (isNew === undefined) return reasonCodes.quotaExceeded;
    if (rh === 0 || (rh === 1 && isNew)) retained.push(topic);
    return reasonCodes.success;
  });
  const codes =
    version === 5 ? granted : granted.map((code) => (code >= 0x80 ? reasonCodes.unspecified : code));
  send({ cmd: "suback", messageId, granted: codes });
  for (const filter of retained) {
    for (const message of broker.subscribers.retained(filter)) subscriber.deliver(message);
  }
}

/** Answers UNSUBSCRIBE. */
export function unsubscribe(
  {
    messageId = 0,
    unsubscriptions,
  }: { readonly messageId?: number; readonly unsubscriptions: readonly string[] },
  { subscriber, broker, send }: Subscribing,
): void {
  for (const filter of unsubscriptions) broker.subscribers.unsubscribe(subscriber, filter);
  send({ cmd: "unsuback", messageId, granted: unsubscriptions.map(() => reasonCodes.success) });
}
