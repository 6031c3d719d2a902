import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { type RawFigures, withRawFigures } from "./raw-figures.ts";

/** Answers with the figures that it was asked for, and fails with a code if there are some. */
const refusing = (code: Code) => async (figures: RawFigures) => {
  if (Object.keys(figures).length > 0) throw new ConnectError("no", code);
  return figures;
};

const asked: readonly RawFigures[] = [{ quantiles: [0.5] }, { holdSeconds: 60 }];

describe("withRawFigures", () => {
  it("requests the answer again without raw figures if there are too many readings, and reports it", async () => {
    for (const figures of asked) {
      expect(await withRawFigures(figures, async (given) => given)).toEqual({
        answer: figures,
        isRefused: false,
      });
      expect(await withRawFigures(figures, refusing(Code.ResourceExhausted))).toEqual({
        answer: {},
        isRefused: true,
      });
    }
  });

  it("fails with any other error of the server, and if no raw figures were requested", async () => {
    for (const figures of asked)
      await expect(withRawFigures(figures, refusing(Code.Unavailable))).rejects.toThrow("no");
    const always = async () => Promise.reject(new ConnectError("no", Code.ResourceExhausted));
    await expect(withRawFigures({}, always)).rejects.toThrow("no");
  });
});
