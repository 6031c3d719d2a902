import type { DenyList } from "../deny-list/deny-list.ts";
import { clockToleranceMs } from "./jose-token-verifier.ts";
import { type IdentifyUser, tokenProblem, type User } from "./user.ts";

/** How a gate identifies users, and detects that the token of an admitted one is no longer valid. */
export type TokenRules = {
  readonly identify: IdentifyUser;
  readonly denyList: DenyList;
  /** Ms since 1970. */
  readonly clock: () => number;
};

/** @throws RpcError UNAUTHENTICATED if the token of an admitted user has expired or was revoked since. */
export function assertStillValid(user: User, { clock, denyList }: TokenRules): void {
  const problem = tokenProblem(user, { nowMs: clock(), denyList, toleranceMs: clockToleranceMs });
  if (problem) throw problem;
}
