import { withoutCredentials } from "./redact-credentials.ts";

/** Maximum length of a reason in characters. */
const lengthMax = 400;

/**
 * Formats a failure as one line: the error's own message and that of its last cause, without passwords. For logs and
 * statuses about unavailable dependencies, for which a stack trace adds nothing.
 */
export function reasonOf(error: unknown): string {
  const messages = causesOf(error)
    .map(messageOf)
    .filter((message) => message !== "");
  const [first = "unknown", last = first] = [messages[0], messages.at(-1)];
  const text = first.includes(last) ? first : `${first}: ${last}`;
  return withoutCredentials(text.replaceAll(/\s+/g, " ").trim()).slice(0, lengthMax);
}

function causesOf(error: unknown): unknown[] {
  const found: unknown[] = [];
  for (let one = error; one !== undefined && !found.includes(one); one = causeOf(one)) found.push(one);
  return found;
}

function causeOf(error: unknown): unknown {
  if (error instanceof AggregateError) return error.errors[0];
  return error instanceof Error ? error.cause : undefined;
}

function messageOf(error: unknown): string {
  if (error === undefined) return "";
  return error instanceof Error ? error.message : String(error);
}
