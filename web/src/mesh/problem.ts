import { Code, type ConnectError } from "@connectrpc/connect";
import { strings } from "../strings.ts";

/**
 * Returns the message for an error: advice for 401 and 403, a notice if there is no response, otherwise the server's
 * message.
 */
export function problemText({ code, rawMessage, cause }: ConnectError): string {
  const { problems } = strings;
  if (code === Code.Unauthenticated) return problems.unauthenticated;
  if (code === Code.PermissionDenied) return `${problems.permissionDenied} (${rawMessage})`;
  // fetch throws a TypeError if there is no response at all.
  if (cause instanceof TypeError || code === Code.Unavailable || code === Code.DeadlineExceeded)
    return problems.unavailable;
  if (cause instanceof RangeError) return problems.tooManyBuckets;
  return problems.other(codeName(code), rawMessage);
}

/** Formats a code like the wire and grpcurl, such as UNAUTHENTICATED. */
export function codeName(code: Code): string {
  return (Code[code] ?? `code ${code}`).replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}
