/**
 * Fills a template: each `${name}` becomes the variable of that name.
 * @throws Error with the names of the variables that have no value, and of the values that the template does not use:
 *   either is a misspelled name.
 */
export function renderTemplate(
  template: string,
  variables: Readonly<Record<string, string | number>>,
  name = "template",
): string {
  const wanted = new Set([...template.matchAll(placeholder)].map(([, variable]) => variable!));
  const missing = [...wanted].filter((variable) => !Object.hasOwn(variables, variable));
  const unknown = Object.keys(variables).filter((variable) => !wanted.has(variable));
  const problems = [
    ...missing.map((variable) => `no value for \${${variable}}`),
    ...unknown.map((variable) => `it has no \${${variable}}`),
  ];
  if (problems.length > 0) throw new Error(`${name}: ${problems.join("; ")}`);
  return template.replaceAll(placeholder, (_, variable: string) => String(variables[variable]));
}

const placeholder = /\$\{([^}]*)\}/g;

/** Returns the keys and values of a file of properties, or of a Spark configuration, without comments and empty lines. */
export function readProperties(text: string): Map<string, string> {
  const entries = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line): [string, string] => {
      const found = /^([^\s=]+)(?:\s*=\s*|\s+)(.*)$/.exec(line);
      if (!found) throw new Error(`not a property: ${line}`);
      return [found[1]!, found[2]!];
    });
  return new Map(entries);
}
