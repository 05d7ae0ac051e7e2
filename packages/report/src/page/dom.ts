/** Makes elements. Text goes in as text nodes only, never as markup: data may contain anything. */

export type Child = Node | string | number | null | undefined | false | readonly Child[];
type Properties = Readonly<Record<string, string | number | boolean | null | undefined | EventListener>>;

/** An HTML element: `on…` properties are listeners, the others attributes; false, null: left out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  append(element, children);
  return element;
}

function append(element: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(element, child as readonly Child[]);
    else element.append(child instanceof Node ? child : String(child));
  }
}

/** A labelled choice; `onChange` gets the chosen value. */
export function choice(
  label: string,
  options: readonly { readonly value: string; readonly text: string }[],
  selected: string,
  onChange: (value: string) => void,
): HTMLLabelElement {
  const select = h(
    'select',
    { onchange: (event) => onChange((event.target as HTMLSelectElement).value) },
    options.map(({ value, text }) => h('option', { value, selected: value === selected }, text)),
  );
  return h('label', { class: 'choice' }, h('span', {}, label), select);
}

/** A labelled tick box. */
export function tick(
  label: Child,
  checked: boolean,
  onChange: (checked: boolean) => void,
  properties: Properties = {},
): HTMLLabelElement {
  return h(
    'label',
    { class: 'tick', ...properties },
    h('input', {
      type: 'checkbox',
      checked,
      onchange: (event) => onChange((event.target as HTMLInputElement).checked),
    }),
    h('span', {}, label),
  );
}

/** Width in pixels that a chart in `element` has. */
export function widthOf(element: HTMLElement): number {
  const { paddingLeft, paddingRight } = getComputedStyle(element);
  return Math.max(
    240,
    element.clientWidth - Number.parseFloat(paddingLeft) - Number.parseFloat(paddingRight),
  );
}
