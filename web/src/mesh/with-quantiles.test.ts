import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { withQuantiles } from "./with-quantiles.ts";

/** Answers with the quantiles that it was asked for, and fails with a code if there are some. */
const refusing = (code: Code) => async (quantiles: readonly number[]) => {
  if (quantiles.length > 0) throw new ConnectError("no", code);
  return quantiles;
};

describe("withQuantiles", () => {
  it("asks again without them where there are too many readings, and says so", async () => {
    expect(await withQuantiles([0.5], async (quantiles) => quantiles)).toEqual({
      answer: [0.5],
      isRefused: false,
    });
    expect(await withQuantiles([0.5], refusing(Code.ResourceExhausted))).toEqual({
      answer: [],
      isRefused: true,
    });
  });

  it("fails as the server does for any other reason, and where no quantiles were asked for", async () => {
    await expect(withQuantiles([0.5], refusing(Code.Unavailable))).rejects.toThrow("no");
    const always = async () => Promise.reject(new ConnectError("no", Code.ResourceExhausted));
    await expect(withQuantiles([], always)).rejects.toThrow("no");
  });
});
