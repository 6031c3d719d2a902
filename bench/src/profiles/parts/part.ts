import { type Share, type Stack, sharesBy } from "../profilers/stacks.ts";

/** A kind of work, recognised by the names of functions and files. */
export type Part = {
  readonly name: string;
  readonly frames: RegExp;
};

/** The part of time that no part accounts for. */
export const otherPart = "other";

/** Returns the part of a frame: the first that recognises it. */
export function partOfFrame(parts: readonly Part[], frame: string): string | undefined {
  return parts.find(({ frames }) => frames.test(frame))?.name;
}

/** Returns the part of a stack's self time: that of the innermost frame that belongs to one. */
export function partOfStack(parts: readonly Part[], { frames }: Stack): string {
  for (const frame of frames.toReversed()) {
    const part = partOfFrame(parts, frame);
    if (part !== undefined) return part;
  }
  return otherPart;
}

/** Returns the shares of self time by part, the largest first. */
export function sharesByPart(parts: readonly Part[], stacks: readonly Stack[]): Share[] {
  return sharesBy(stacks, (stack) => partOfStack(parts, stack));
}
