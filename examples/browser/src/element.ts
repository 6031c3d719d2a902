type Attributes = Readonly<Record<string, string | number | undefined>>;

/** Creates an HTML element; attributes that are undefined are left out. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  return filled(document.createElement(name), attributes, children);
}

/** Creates an SVG element. */
export function svgElement<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): SVGElementTagNameMap[Name] {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

/** Returns the element of the page with this id. @throws Error if there is none of this kind. */
export function found<Kind extends Element>(id: string, kind: new () => Kind): Kind {
  const there = document.getElementById(id);
  if (!(there instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`);
  return there;
}

function filled<Kind extends Element>(
  made: Kind,
  attributes: Attributes,
  children: readonly (Node | string)[],
): Kind {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) made.setAttribute(name, `${value}`);
  }
  made.append(...children);
  return made;
}
