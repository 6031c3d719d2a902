import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withPlainGrpcMessage } from "./connect-handler.ts";
import { encodedGrpcMessage } from "./requests/grpc-message.ts";

describe("grpc-message", () => {
  it("escapes only what is not printable ASCII, and the escape character", () => {
    expect(encodedGrpcMessage("frames[1]: 100 % of spiffe://a/b; 5 °C\n")).toBe(
      "frames[1]: 100 %25 of spiffe://a/b; 5 %C2%B0C%0A",
    );
  });

  it("is decoded to the same text, for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const encoded = encodedGrpcMessage(text);
        expect(encoded).toMatch(/^[\x20-\x7e]*$/);
        expect(decodeURIComponent(encoded)).toBe(text);
      }),
    );
  });

  it("is encoded again when the body has ended", async () => {
    const trailer = new Headers();
    async function* body() {
      yield new Uint8Array(5);
      trailer.set("grpc-message", "a%3A%20b%2C%20c");
    }
    const response = withPlainGrpcMessage({ status: 200, body: body(), trailer });
    for await (const bytes of response.body ?? []) expect(bytes).toHaveLength(5);
    expect(trailer.get("grpc-message")).toBe("a: b, c");
  });
});
