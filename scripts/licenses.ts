// Checks that every npm dependency has a licence that an Apache-2.0 project may depend on.
import { readFileSync } from "node:fs";

/** Permissive licences, and MPL-2.0, whose terms end at the files of the package itself. SPDX identifiers. */
const accepted = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "CC0-1.0",
  "ISC",
  "MIT",
  "MPL-2.0",
  "Python-2.0",
  "Unlicense",
]);

/** The fields of a package in package-lock.json. */
type LockedPackage = { readonly license?: string; readonly link?: boolean };

/** Whether accepted licences satisfy an SPDX expression. An expression that mixes AND and OR is rejected. */
export function isAcceptedLicense(expression: string): boolean {
  const terms = expression.replace(/^\((.*)\)$/, "$1");
  if (/ AND /.test(terms) && / OR /.test(terms)) return false;
  return / OR /.test(terms)
    ? terms.split(" OR ").some((term) => accepted.has(term))
    : terms.split(" AND ").every((term) => accepted.has(term));
}

/** Returns the packages of a lock file whose licence is missing or not accepted, as "name: licence". */
export function unacceptedLicenses(packages: Readonly<Record<string, LockedPackage>>): string[] {
  return Object.entries(packages)
    .filter(([path, { link }]) => path.startsWith("node_modules/") && !link)
    .filter(([, { license }]) => license === undefined || !isAcceptedLicense(license))
    .map(([path, { license }]) => `${path.slice("node_modules/".length)}: ${license ?? "no licence"}`);
}

if (import.meta.main) {
  const lock = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8")) as {
    packages: Record<string, LockedPackage>;
  };
  const found = unacceptedLicenses(lock.packages);
  if (found.length > 0) {
    console.error(
      `These dependencies have a licence that scripts/licenses.ts does not accept:\n${found.join("\n")}`,
    );
    process.exit(1);
  }
}
