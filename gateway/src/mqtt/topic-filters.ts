/** Whether a filter is valid: `+` and `#` are whole levels, and `#` is allowed only at the end. */
export function isTopicFilter(filter: string): boolean {
  if (filter === "" || filter.includes("\0") || filter.startsWith("$share/")) return false;
  const levels = filter.split("/");
  return levels.every(
    (level, at) => level === "+" || (level === "#" && at === levels.length - 1) || !/[+#]/.test(level),
  );
}

/** Whether a topic can be published to. */
export function isTopic(topic: string): boolean {
  return topic !== "" && !/[+#\0]/.test(topic);
}

/** Whether a filter matches a topic. Wildcards at the start do not match topics that begin with `$`. */
export function fitsFilter(filter: readonly string[], topic: readonly string[]): boolean {
  if (topic[0]?.startsWith("$") && (filter[0] === "+" || filter[0] === "#")) return false;
  for (const [at, level] of filter.entries()) {
    if (level === "#") return true;
    if (at >= topic.length || (level !== "+" && level !== topic[at])) return false;
  }
  return filter.length === topic.length;
}
