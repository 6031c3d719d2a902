/** Matches `scheme://user:password@` up to the last @ of the word, because a password may contain an unescaped @. */
const credentials = /([a-z][a-z0-9+.-]*:\/\/[^\s:@/"'<>]*):[^\s"'<>]*@/gi;

/** Replaces the password of each URL in a text by `…` (`scheme://user:…@host`). */
export function withoutCredentials(text: string): string {
  return text.includes("://") && text.includes("@") ? text.replace(credentials, "$1:…@") : text;
}
