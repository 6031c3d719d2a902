import type { ConnectRouter } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";

/**
 * Adds one method with different handlers for requests in protobuf and in JSON. Each function adds the method to the
 * router once.
 */
export function addByContentType(router: ConnectRouter, add: { protobuf(): void; json(): void }): void {
  add.protobuf();
  add.json();
  const [protobuf, json] = router.handlers.splice(-2) as [UniversalHandler, UniversalHandler];
  const handle = (request: Parameters<UniversalHandler>[0]) =>
    isJson(request.header.get("content-type") ?? "") ? json(request) : protobuf(request);
  router.handlers.push(withFactsOf(protobuf, handle));
}

/** Returns `handle` as a handler of the same method and content types. */
export function withFactsOf(
  handler: UniversalHandler,
  handle: (request: Parameters<UniversalHandler>[0]) => ReturnType<UniversalHandler>,
): UniversalHandler {
  const { protocolNames, service, method, requestPath, allowedMethods, supportedContentType } = handler;
  return Object.assign(handle, {
    protocolNames,
    service,
    method,
    requestPath,
    allowedMethods,
    supportedContentType,
  });
}

/** The protocol: Connect, gRPC or gRPC-Web. */
function isJson(contentType: string): boolean {
  return /^application\/(?:[\w-]+\+)?json\b/.test(contentType);
}
