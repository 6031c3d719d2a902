import { Code, type ConnectError } from "@connectrpc/connect";
import { strings } from "../strings.ts";

/** What to tell the user of an error: 401 and 403 with what helps, no answer as such, else the server's own words. */
export function problemText({ code, rawMessage, cause }: ConnectError): string {
  const { problems } = strings;
  if (code === Code.Unauthenticated) return problems.unauthenticated;
  if (code === Code.PermissionDenied) return `${problems.permissionDenied} (${rawMessage})`;
  // fetch throws a TypeError where there is no answer at all.
  if (cause instanceof TypeError || code === Code.Unavailable || code === Code.DeadlineExceeded)
    return problems.unavailable;
  if (cause instanceof RangeError) return problems.tooManyBuckets;
  return problems.other(codeName(code), rawMessage);
}

/** A code as the wire and grpcurl spell it, such as UNAUTHENTICATED. */
export function codeName(code: Code): string {
  return (Code[code] ?? `code ${code}`).replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}
