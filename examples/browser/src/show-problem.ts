import { Code, ConnectError } from "@connectrpc/connect";
import { element } from "./element.ts";

/** Advice for users, by code. */
const hints: Partial<Record<Code, string>> = {
  [Code.Unauthenticated]: "Paste a token that is valid: npm run certs makes one, certs/user-reader.jwt.",
  [Code.PermissionDenied]: "The token is valid, but does not allow this: it needs the scope devicemesh.read.",
  [Code.ResourceExhausted]: "Too many calls: try again in a moment.",
  [Code.Unavailable]: "The mesh is starting, stopping or cannot reach its store: try again in a moment.",
};

/** Shows an error with its code, its message and advice; hides it if undefined. */
export function showProblem(place: HTMLElement, error: unknown): void {
  place.hidden = error === undefined;
  if (error === undefined) {
    place.replaceChildren();
    return;
  }
  const problem = ConnectError.from(error);
  const hint = problem.cause instanceof TypeError ? unreachable() : hints[problem.code];
  place.replaceChildren(
    element("code", {}, codeName(problem.code)),
    element("span", {}, problem.rawMessage),
    ...(hint === undefined ? [] : [element("p", {}, hint)]),
  );
}

/** Formats a code like the wire and grpcurl, such as UNAUTHENTICATED. */
export function codeName(code: Code): string {
  return (Code[code] ?? `code ${code}`).replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}

/** A browser does not report to a page why there was no response. */
function unreachable(): string {
  return `No answer came. Is the mesh there, is its certificate trusted, and may pages of ${location.origin} call it (--cors-origin ${location.origin})?`;
}
