import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { invalidArgument } from "@devicemesh/kit/rpc/rpc-error";

/** Creates and opens page tokens. They are opaque and signed, and bound to one query. */
export type PageTokens<Content> = {
  /** Returns the token for a position in the answer to a query. */
  seal(content: Content, query: unknown): string;
  /** @throws RpcError INVALID_ARGUMENT on `page_token` if it was altered, or belongs to another query or server. */
  open(token: string, query: unknown): Content;
};

const macBytes = 16;

/**
 * Creates the page tokens of one method. `key` is secret; servers that share it accept each other's tokens. Two queries
 * are the same if their JSON is.
 */
export function createPageTokens<Content>(options: {
  readonly key: Uint8Array;
  readonly method: string;
}): PageTokens<Content> {
  function macOf(content: Buffer, query: unknown): Buffer {
    const queryHash = createHash("sha256")
      .update(JSON.stringify([options.method, query]))
      .digest();
    return createHmac("sha256", options.key).update(queryHash).update(content).digest().subarray(0, macBytes);
  }
  return {
    seal(content, query) {
      const bytes = Buffer.from(JSON.stringify(content));
      return Buffer.concat([macOf(bytes, query), bytes]).toString("base64url");
    },
    open(token, query) {
      const bytes = Buffer.from(token, "base64url");
      const mac = bytes.subarray(0, macBytes);
      const content = bytes.subarray(macBytes);
      // Base64 decoding is lenient: only the exact encoded text is accepted.
      const isOurs =
        bytes.toString("base64url") === token &&
        mac.length === macBytes &&
        timingSafeEqual(mac, macOf(content, query));
      if (!isOurs) throw notOfThisQuery();
      return JSON.parse(content.toString()) as Content;
    },
  };
}

function notOfThisQuery() {
  return invalidArgument({
    field: "page_token",
    description: "is not a token that this server gave for this query: start again without a token",
    reason: "PAGE_TOKEN_NOT_OF_THIS_QUERY",
  });
}
