import type { IdentifyPublisher, Publisher } from "@devicemesh/identity";

/** Finds out who sends a call when its headers come, and remembers it until the handler asks again. */
export function identifyOnce(identify: IdentifyPublisher): IdentifyPublisher {
  // The call of the headers and that of the handler are two objects with the same metadata.
  const known = new WeakMap<object, Publisher>();
  return (call) => {
    const publisher = known.get(call.metadata) ?? identify(call);
    known.set(call.metadata, publisher);
    return publisher;
  };
}
