import { Code, ConnectError } from "@connectrpc/connect";

/** An answer, and whether the server has the percentiles of so many readings. */
export type WithQuantiles<Answer> = { readonly answer: Answer; readonly isRefused: boolean };

/**
 * Requests an answer with quantiles; where the server refuses them because there are too many readings, without them.
 * @throws ConnectError of the server for any other reason.
 */
export async function withQuantiles<Answer>(
  quantiles: readonly number[],
  request: (quantiles: readonly number[]) => Promise<Answer>,
): Promise<WithQuantiles<Answer>> {
  try {
    return { answer: await request(quantiles), isRefused: false };
  } catch (error) {
    if (quantiles.length === 0 || ConnectError.from(error).code !== Code.ResourceExhausted) throw error;
    return { answer: await request([]), isRefused: true };
  }
}
