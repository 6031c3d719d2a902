/** `scheme://user:password@`; up to the last @ of the word, since a password may hold an @ that should have been escaped. */
const credentials = /([a-z][a-z0-9+.-]*:\/\/[^\s:@/"'<>]*):[^\s"'<>]*@/gi;

/** The text with `…` in place of the password of each address in it (`scheme://user:…@host`). */
export function withoutCredentials(text: string): string {
  return text.includes("://") && text.includes("@") ? text.replace(credentials, "$1:…@") : text;
}
