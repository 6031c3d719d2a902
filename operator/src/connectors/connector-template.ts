const variablePattern = /\$\{(\w+)\}/g;

/**
 * Fills in the template of a connector: JSON whose values are texts, in which `${name}` is a variable. Every
 * variable of the template must be given, and every given variable must occur in it.
 * @throws Error that names the template and its problem.
 */
export function renderConnector(
  template: { readonly name: string; readonly text: string },
  variables: Readonly<Record<string, string | number>>,
): Readonly<Record<string, string>> {
  const settings: unknown = JSON.parse(template.text);
  if (!isTexts(settings)) throw new Error(`${template.name}: it must be an object of texts`);
  const used = new Set<string>();
  const rendered = Object.entries(settings).map(([setting, value]) => [
    setting,
    value.replace(variablePattern, (_, name: string) => {
      const given = variables[name];
      if (given === undefined) throw new Error(`${template.name}: \${${name}} of ${setting} is not known`);
      used.add(name);
      return `${given}`;
    }),
  ]);
  const unused = Object.keys(variables).filter((name) => !used.has(name));
  if (unused.length > 0) throw new Error(`${template.name}: nothing uses ${unused.join(", ")}`);
  return Object.fromEntries(rendered);
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((one) => typeof one === "string")
  );
}
