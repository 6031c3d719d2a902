import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boundLines, cutMark, lineBytesMax } from "./bounded-lines.ts";

async function* chunksOf(text: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (let turn = 0; at < text.length; turn++) {
    const size = sizes[turn % sizes.length]!;
    yield text.subarray(at, at + size);
    at += size;
  }
}

async function bound(text: string, sizes: readonly number[]): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of boundLines(chunksOf(Buffer.from(text), sizes))) parts.push(part);
  return Buffer.concat(parts).toString();
}

describe("bounded lines", () => {
  it("are cut and marked exactly where they are too long, however they come in chunks", async () => {
    const lengths = fc.oneof(
      fc.integer({ min: 0, max: 80 }),
      fc.integer({ min: lineBytesMax - 2, max: lineBytesMax + 2 }),
      fc.integer({ min: lineBytesMax, max: 3 * lineBytesMax }),
    );
    const sizes = fc.array(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.array(lengths, { maxLength: 12 }), sizes, async (lines, chunkSizes) => {
        const text = lines.map((length, at) => String(at % 10).repeat(length));
        const cut = text.map((line) =>
          line.length > lineBytesMax ? line.slice(0, lineBytesMax) + cutMark : line,
        );
        expect(await bound(text.join("\n"), chunkSizes)).toBe(cut.join("\n"));
      }),
    );
  });

  it("hand on a few bytes of an endless line", async () => {
    const handedOn = await bound("7".repeat(5_000_000), [65_536]);
    expect(handedOn).toBe("7".repeat(lineBytesMax) + cutMark);
  });
});
