/** Why a request is answered with an HTTP error, in the words of its protocol. */
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
