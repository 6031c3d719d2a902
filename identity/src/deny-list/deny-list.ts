/** The kinds of entries of a deny list: a certificate's serial number, SHA-256 fingerprint or URI, or a token's id. */
export const deniedKinds = ["serial", "sha256", "uri", "token"] as const;

export type DeniedKind = (typeof deniedKinds)[number];

/** Credentials that are revoked before they expire. */
export type DenyList = {
  /** Compares numbers as numbers: case, colons and leading zeros of hexadecimal do not matter. */
  has(kind: DeniedKind, value: string): boolean;
};

/** The contents of a deny list. */
export type ParsedDenyList = {
  /** The entries as `kind value`, normalized. */
  readonly entries: ReadonlySet<string>;
  /** The problems, with their lines. */
  readonly problems: readonly string[];
  /** Whether it contains `none`: it is intentionally empty. */
  readonly isNone: boolean;
};

/**
 * Parses a deny list: one entry on each line, `serial 3F:A2`, `sha256 …`, `uri spiffe://…`, `token <jti>`; `#` begins a
 * comment at the start of a line or after a blank. A line `none` means that the list is intentionally empty; beside
 * entries it is a problem. Pure.
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

/** Creates a deny list that reads its entries for each check, so that they may change. */
export function createDenyList(entries: () => ReadonlySet<string>): DenyList {
  return { has: (kind, value) => entries().has(`${kind} ${normalised(kind, value)}`) };
}

/** A deny list without entries. */
export const emptyDenyList: DenyList = { has: () => false };

/** Whether a token's id can be written into a deny list: without blanks, and without a leading `#`. */
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
