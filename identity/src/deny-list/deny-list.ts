/** What an entry of a deny list is about: a certificate's serial number, SHA-256 fingerprint or URI, a token's id. */
export const deniedKinds = ["serial", "sha256", "uri", "token"] as const;

export type DeniedKind = (typeof deniedKinds)[number];

/** What is revoked before it expires. */
export type DenyList = {
  /** Numbers are compared as numbers: case, colons and leading zeros of hexadecimal do not matter. */
  has(kind: DeniedKind, value: string): boolean;
};

/** What a deny list's text says. */
export type ParsedDenyList = {
  /** As `kind value`, normalised. */
  readonly entries: ReadonlySet<string>;
  /** What could not be understood, with its line. */
  readonly problems: readonly string[];
  /** Whether it says `none`: nothing is revoked, on purpose. */
  readonly isNone: boolean;
};

/**
 * Reads a deny list: an entry a line, `serial 3F:A2`, `sha256 …`, `uri spiffe://…`, `token <jti>`; `#` begins
 * a comment at the start of a line or after a blank. A line `none` states that an empty list is meant; beside entries it
 * is a problem. Pure.
 */
export function parseDenyList(text: string): ParsedDenyList {
  const entries = new Set<string>();
  const problems: string[] = [];
  let noneLine = 0;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const words = line
      .replace(/(^|\s)#.*$/, "")
      .trim()
      .split(/\s+/);
    if (words.length === 1 && words[0] === "") continue;
    if (words.length === 1 && words[0] === "none") {
      noneLine = index + 1;
      continue;
    }
    const entry = entryOf(words);
    if (entry === undefined) problems.push(`line ${index + 1}: ${JSON.stringify(line.slice(0, 80))}`);
    else entries.add(entry);
  }
  if (noneLine > 0 && entries.size > 0) problems.push(`line ${noneLine}: "none" beside entries`);
  return { entries, problems, isNone: noneLine > 0 };
}

/** A deny list that asks for its entries each time, so that they may change. */
export function createDenyList(entries: () => ReadonlySet<string>): DenyList {
  return { has: (kind, value) => entries().has(`${kind} ${normalised(kind, value)}`) };
}

/** Nothing is revoked. */
export const emptyDenyList: DenyList = { has: () => false };

/** Whether a token's id can be written into a deny list: without blanks, and not beginning with `#`. */
export function isWritableTokenId(tokenId: string): boolean {
  return /^[^\s#]\S*$/.test(tokenId) && parseDenyList(`token ${tokenId}`).entries.has(`token ${tokenId}`);
}

function entryOf(words: readonly string[]): string | undefined {
  const [kind, value, ...more] = words;
  if (value === undefined || more.length > 0) return undefined;
  if (!deniedKinds.some((known) => known === kind)) return undefined;
  const isNumber = kind === "serial" || kind === "sha256";
  if (isNumber && !/^[0-9a-f:]*[0-9a-f][0-9a-f:]*$/i.test(value)) return undefined;
  return `${kind} ${normalised(kind as DeniedKind, value)}`;
}

function normalised(kind: DeniedKind, value: string): string {
  if (kind === "uri" || kind === "token") return value;
  return value
    .replaceAll(":", "")
    .toLowerCase()
    .replace(/^0+(?=.)/, "");
}
