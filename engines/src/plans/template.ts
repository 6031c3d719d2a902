/**
 * Fills a template: each `${name}` becomes the variable of that name.
 * @throws Error naming the variables that the template has and the values lack, or that it does not have:
 *   either is a misspelt name.
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

/** The keys and values of a file of properties, or of a Spark configuration; comments and empty lines are left out. */
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
