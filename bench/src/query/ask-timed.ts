import type { Client } from "@connectrpc/connect";
import type { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import type { Question } from "./query-questions.ts";

/** Sends a query and returns the elapsed ms. @throws Error if the answer has another number of rows. */
export async function askTimed(
  client: Client<typeof QueryService>,
  { request, rows }: Question,
): Promise<number> {
  const startMs = performance.now();
  const answer = await client.getAggregates(request);
  const elapsedMs = performance.now() - startMs;
  if (answer.rows.length !== rows) throw new Error(`${rows} rows expected, ${answer.rows.length} answered`);
  return elapsedMs;
}
