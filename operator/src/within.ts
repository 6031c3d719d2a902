import { setTimeout as delay } from "node:timers/promises";

/** The promise's result, or an Error that names `what` if it takes longer. What it does goes on. */
export async function within<Result>(
  promise: Promise<Result>,
  limit: { readonly ms: number; readonly what: string },
): Promise<Result> {
  const over = new AbortController();
  const late = delay(limit.ms, undefined, over).then(() => {
    throw new Error(`${limit.what}: no answer within ${limit.ms} ms`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    over.abort();
  }
}
