// What all charts have in common: size, title, legend, colours for a light and a dark page, and text that fits.

import { serverTitles, type ServerName } from '../servers.js';

export const width = 720;
export const height = 420;

/** Where the axes are; the title and the legend are above. */
export const plot = { left: 76, right: width - 24, top: 112, bottom: height - 58 } as const;

export interface Style {
  readonly server: ServerName;
  /** Tells two series of one server apart. */
  readonly variant?: string;
  readonly stroke?: 'solid' | 'dashed';
}

/** What a series is called in the legend. */
export function seriesTitle({ server, variant }: Style): string {
  return variant === undefined ? serverTitles[server] : `${serverTitles[server]}, ${variant}`;
}

interface Theme {
  readonly page: string;
  readonly ink: string;
  readonly soft: string;
  readonly grid: string;
  readonly servers: Readonly<Record<ServerName, string>>;
}

const light: Theme = {
  page: '#ffffff',
  ink: '#1f2328',
  soft: '#57606a',
  grid: '#d8dee4',
  servers: {
    kept: '#0969da',
    ahead: '#1a7f6b',
    spawned: '#8250df',
    tuned: '#bc4c00',
    shipped: '#a40e4c',
    popa3d: '#6e5a00',
  },
};

const dark: Theme = {
  page: '#0d1117',
  ink: '#e6edf3',
  soft: '#9da7b3',
  grid: '#30363d',
  servers: {
    kept: '#58a6ff',
    ahead: '#3fc9a7',
    spawned: '#bc8cff',
    tuned: '#ff9c4a',
    shipped: '#ff7aa8',
    popa3d: '#d4c05a',
  },
};

/** Without variables, which not every program that shows SVG knows. */
function colours({ page, ink, soft, grid, servers }: Theme): string {
  const series = Object.entries(servers).map(
    ([name, colour]) => `.line.${name} { stroke: ${colour} } .solid.${name} { fill: ${colour} }`,
  );
  return [
    `.page { fill: ${page} } .label { fill: ${soft} } .title, .legend { fill: ${ink} }`,
    `.grid { stroke: ${grid} }`,
    ...series,
  ].join('\n');
}

const stylesheet = `
text { font: 12px system-ui, sans-serif }
.title { font-size: 16px; font-weight: 600 }
.line { fill: none; stroke-width: 2.5; stroke-linejoin: round }
.dashed { stroke-dasharray: 6 4 }
.pale { opacity: 0.55 }
${colours(light)}
@media (prefers-color-scheme: dark) {
${colours(dark)}
}
`;

/** A whole SVG file. @param content what is drawn between the axes, and the axes */
export function frame(title: string, styles: readonly Style[], content: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(title)}">
<style>${stylesheet}</style>
<rect class="page" width="${width}" height="${height}" rx="6"/>
${text(24, 30, title, 'title')}
${legend(styles)}
${content}</svg>
`;
}

/** @param anchor of SVG's text-anchor */
export function text(
  x: number,
  y: number,
  content: string,
  className = 'label',
  anchor: 'start' | 'middle' | 'end' = 'start',
): string {
  return `<text class="${className}" x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escape(content)}</text>`;
}

/** The name of the y axis, written upwards, and that of the x axis. */
export function axisNames(x: string, y: string): string {
  const middle = (plot.top + plot.bottom) / 2;
  return [
    text((plot.left + plot.right) / 2, height - 14, x, 'label', 'middle'),
    `<text class="label" transform="translate(18 ${middle}) rotate(-90)" text-anchor="middle">${escape(y)}</text>`,
    '',
  ].join('\n');
}

/** A horizontal line across the plot with its value beside it. */
export function gridLine(y: number, label: string): string {
  const place = round(y);
  return `<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${place}" y2="${place}"/>
${text(plot.left - 8, y + 4, label, 'label', 'end')}
`;
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** In rows as wide as the chart. */
function legend(styles: readonly Style[]): string {
  let [x, y] = [24, 54];
  const entries: string[] = [];
  for (const style of styles) {
    const title = seriesTitle(style);
    const entryWidth = 40 + title.length * 6.6;
    if (x + entryWidth > width - 12) [x, y] = [24, y + 20];
    const dashes = style.stroke === 'dashed' ? ' dashed' : '';
    entries.push(
      `<line class="line ${style.server}${dashes}" x1="${round(x)}" x2="${round(x + 24)}" y1="${y - 4}" y2="${y - 4}"/>` +
        text(x + 30, y, title, 'legend'),
    );
    x += entryWidth;
  }
  return entries.join('\n');
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
