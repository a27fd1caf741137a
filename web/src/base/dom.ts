// Elements made in one expression.

type Child = Node | string | number | null | undefined | false;
type Props = Record<string, unknown>;

/**
 * Makes an element. Members of `props`: `class`, `on: {event: handler}`, `style: {..}`, everything else an attribute; true sets an empty one, false and
 * undefined none.
 */
export function h<Name extends keyof HTMLElementTagNameMap>(name: Name, props: Props = {}, ...children: (Child | Child[])[]): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (key === 'on') for (const [event, handler] of Object.entries(value as Record<string, EventListener>)) element.addEventListener(event, handler);
    else if (key === 'style') for (const [rule, text] of Object.entries(value as Record<string, string>)) element.style.setProperty(rule, text);
    else if (typeof value === 'boolean' && key.startsWith('aria-')) element.setAttribute(key, String(value));
    else if (value === true) element.setAttribute(key, '');
    else if (value !== false && value !== undefined && value !== null) element.setAttribute(key, String(value));
  }
  fill(element, ...children);
  return element;
}

/** Replaces what an element holds. */
export function fill(element: Element, ...children: (Child | Child[])[]): void {
  const kept = children.flat().filter((child) => child !== null && child !== undefined && child !== false);
  element.replaceChildren(...kept.map((child) => (typeof child === 'number' ? String(child) : (child as Node | string))));
}

const PATHS = {
  play: 'M5 3.5v9l7.5-4.5z', pause: 'M5 3.5v9M11 3.5v9', back: 'M11 3.5 5.5 8l5.5 4.5M4 3.5v9', forward: 'M5 3.5 10.5 8 5 12.5M12 3.5v9',
  close: 'm4 4 8 8m0-8-8 8', plus: 'M8 3v10M3 8h10', run: 'M4.5 3v10l8-5z', pin: 'M8 9.5V14M5 2.5h6l-.7 4 2.2 3H3.5l2.2-3z', moon: 'M13 9.6A5.5 5.5 0 0 1 6.4 3 5.5 5.5 0 1 0 13 9.6z',
  sun: 'M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.1 1.1M11.9 11.9 13 13M13 3l-1.1 1.1M4.1 11.9 3 13',
  share: 'M8 10V2m0 0L5 5m3-3 3 3M3.5 8.5v5h9v-5', menu: 'M2.5 4.5h11M2.5 8h11M2.5 11.5h11', table: 'M2.5 3.5h11v9h-11zM2.5 6.8h11M6.5 6.8v5.7',
  chart: 'M2.5 12.5 6 8l3 2.5 4.5-6.5', plan: 'M4 3v10M4 5h4M4 9h7M4 13h5', copy: 'M5.5 5.5h7v8h-7zM10.5 5.5v-3h-7v8h2', download: 'M8 2.5V10m0 0L5 7m3 3 3-3M3 13.5h10',
  upload: 'M8 10.5V3m0 0L5 6m3-3 3 3M3 13.5h10', trash: 'M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9', clock: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zm0 2.5V8l2.3 1.6', key: 'M10.5 2.5a3 3 0 1 0-2.6 4.5L3 12v1.5h2l.5-1.5H7l.2-1.6 1.9-1.9',
  undo: 'M5.5 3 2.5 6l3 3M2.5 6h7a3.5 3.5 0 0 1 0 7H6', chevron: 'm5.5 3.5 4.5 4.5-4.5 4.5', check: 'm3 8.5 3.2 3L13 4.5', bug: 'M5.5 5.5a2.5 2.5 0 0 1 5 0zM4.5 5.5h7v4a3.5 3.5 0 0 1-7 0zM1.5 7.5h3m7 0h3M2.5 13l2.3-1.8M13.5 13l-2.3-1.8M8 5.5V13',
  database: 'M3 4c0-1 2.2-1.8 5-1.8S13 3 13 4s-2.2 1.8-5 1.8S3 5 3 4zv8c0 1 2.2 1.8 5 1.8s5-.8 5-1.8V4M3 8c0 1 2.2 1.8 5 1.8s5-.8 5-1.8', help: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM6.3 6.3A1.8 1.8 0 1 1 8 8.6v.6m0 1.8v.3',
} as const;

/** The name of an icon. */
export type IconName = keyof typeof PATHS;

/** A small drawing. It says nothing by itself: what it stands on has a label. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}

/** A button with an icon; the label is shown, or only said. */
export function button(name: IconName | undefined, label: string, press: (event: Event) => void, options: { shown?: boolean; class?: string; keys?: string } = {}): HTMLButtonElement {
  const title = options.keys === undefined ? label : `${label} (${options.keys})`;
  const props = { type: 'button', class: `button ${options.class ?? ''}`, title: options.shown === true && options.keys === undefined ? undefined : title, 'aria-label': options.shown === true ? undefined : label, on: { click: press } };
  return h('button', props, name === undefined ? null : icon(name) as unknown as Node, options.shown === true ? h('span', {}, label) : null);
}
