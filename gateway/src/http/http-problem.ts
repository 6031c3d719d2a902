/** The HTTP error of a request, with the message for the client. */
export class HttpProblem extends Error {
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  constructor(status: number, message: string, { retryAfterMs }: { readonly retryAfterMs?: number } = {}) {
    super(message);
    this.name = "HttpProblem";
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}
