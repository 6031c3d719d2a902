import type { ConnectError } from "@connectrpc/connect";
import { connection, isDenied } from "../mesh/connection.ts";
import { problemText } from "../mesh/problem.ts";

/** An error of a view, unless the status at the top already shows it. */
export function Problem({ problem }: { readonly problem: ConnectError | undefined }) {
  const { kind } = connection.value;
  if (!problem || kind === "lost" || (kind === "denied" && isDenied(problem))) return null;
  return (
    <p class="problem" role="alert">
      {problemText(problem)}
    </p>
  );
}
