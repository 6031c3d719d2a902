import { RpcError } from "@devicemesh/kit/rpc/rpc-error";

/**
 * Passes messages on. If none is read for `stallMs`, their source is ended, so that it holds nothing for a client that
 * does not read, and the stream fails when the client resumes.
 * @throws RpcError DEADLINE_EXCEEDED then; the errors of the messages.
 */
export async function* endedIfStalled<Message>(
  messages: AsyncGenerator<Message>,
  stallMs: number,
): AsyncGenerator<Message> {
  let isStalled = false;
  // Also ends it if the client has disconnected.
  await using _ = { [Symbol.asyncDispose]: async () => void (await messages.return(undefined)) };
  for (;;) {
    const next = await messages.next();
    if (next.done) return;
    const timer = setTimeout(() => {
      isStalled = true;
      // It waits at a yield and cannot fail there.
      void messages.return(undefined);
    }, stallMs);
    try {
      yield next.value;
    } finally {
      clearTimeout(timer);
    }
    if (isStalled) throw stalled(stallMs);
  }
}

function stalled(stallMs: number): RpcError {
  return new RpcError({
    code: "DEADLINE_EXCEEDED",
    message: `the client read nothing for ${stallMs / 1000} s: the export has ended and is incomplete`,
  });
}
