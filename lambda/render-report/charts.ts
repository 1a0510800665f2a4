/**
 * Charts: Vega-Lite compiled to Vega and drawn as inline SVG, without a browser. The page's script draws the same Vega
 * specification again when a chart is seen. Colours are variables of the page, so they follow its dark mode.
 */
import { parse, type Spec, View } from 'vega';
import { type Config, compile, type TopLevelSpec } from 'vega-lite';
import type { SelectionParameter } from 'vega-lite/types_unstable/selection.js';
import { escaped, Html, html } from './html.ts';

const FONT = 'system-ui, -apple-system, Segoe UI, Roboto, Liberation Sans, sans-serif';
/** In pixels; the page's style has the same for pictures. */
export const FONT_SIZE = 12;
/** Colours by meaning. */
export const COLOURS = {
  accent: 'var(--accent)',
  contrast: 'var(--contrast)',
  third: 'var(--third)',
  neutral: 'var(--neutral)',
  ink: 'var(--ink)',
} as const;

const CONFIG: Config = {
  // The chart as a whole has its description; parts of a picture are read to nobody.
  aria: false,
  background: 'transparent',
  font: FONT,
  view: { stroke: null },
  axis: {
    labelColor: 'var(--muted)',
    titleColor: 'var(--muted)',
    titleFontWeight: 'normal',
    labelFontSize: FONT_SIZE,
    titleFontSize: FONT_SIZE,
    gridColor: 'var(--rule)',
    domainColor: 'var(--rule)',
    tickColor: 'var(--rule)',
    // Without a browser Vega overestimates the width of text and would truncate labels that fit.
    labelLimit: 0,
  },
  legend: { labelColor: 'var(--ink)', titleColor: 'var(--muted)', labelFontSize: FONT_SIZE, labelLimit: 0 },
};

/** A click on a series in the legend fades the others; a second click shows all again. */
export const crossingOut = (): SelectionParameter<'point'> => ({
  name: 'series',
  select: { type: 'point', fields: ['series'] },
  bind: 'legend',
});
/** Opacity of what was crossed out. */
export const CROSSED_OUT = { condition: { param: 'series', value: 1 }, value: 0.12 } as const;

/** The charts of one page. */
export class ChartBook {
  readonly #specs = new Map<string, object>();
  #look: object = {};

  /** What all specifications have in common. */
  get look(): object {
    return this.#look;
  }

  /** Vega specifications, without their look, by the id of the element in which each is drawn. */
  get specs(): Readonly<Record<string, object>> {
    return Object.fromEntries(this.#specs);
  }

  /**
   * Draws a chart.
   * @param description what it shows, for readers who cannot see it
   * @param picture the chart as it is drawn without a browser, where it can be simpler than the one that comes alive
   */
  async draw(
    id: string,
    spec: TopLevelSpec,
    description: string,
    picture: TopLevelSpec = spec,
  ): Promise<Html> {
    const compiled = vegaOf(spec, description);
    const { config, ...own } = compiled;
    this.#specs.set(id, own);
    this.#look = config ?? {};
    const drawn = picture === spec ? compiled : vegaOf(picture, description);
    const view = new View(parse(drawn), { renderer: 'none' });
    try {
      const markup = slim(await view.toSVG());
      const svg = markup.replace('<svg ', `<svg role="img" aria-label="${escaped(description)}" `);
      return html`<div class="chart" id="${id}">${new Html(svg)}</div>`;
    } finally {
      view.finalize();
    }
  }
}

function vegaOf(spec: TopLevelSpec, description: string): Spec {
  // The address of the schema is of no use to the page, which names nothing outside it.
  const { $schema: _, ...compiled } = compile({ ...spec, description, config: CONFIG }).spec;
  return JSON.parse(JSON.stringify(compiled, shortened));
}

/** More digits than any chart shows. */
const DIGITS = 6;

/** Figures as exact as a chart can show them, and marks that are no images of their own: the chart has one description. */
function shortened(name: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isInteger(value)) return Number(value.toPrecision(DIGITS));
  if (name === 'marks' && Array.isArray(value))
    return value.map((mark: object) => ({ ...mark, aria: false }));
  return value;
}

const PLACES = / (?:d|transform|x|x2|y|y2|width|height)="[^"]*"/g;
const LONG_FRACTION = /\d+\.\d{3,}/g;
/** What says nothing in a picture: names, places without anything in them, and what is usual or comes from the page's style. */
const SUPERFLUOUS = new RegExp(
  [
    '<path class="(?:foreground|background)"[^>]* d="(?:M0,0h0v0h0Z)?"[^>]*/>',
    ` font-family="${FONT}"`,
    ` font-size="${FONT_SIZE}px"`,
    ' class="[^"]*"',
    ' (?:fill-|stroke-)?opacity="1"',
    ' stroke-width="1"',
    ' aria-hidden="true"',
    ' pointer-events="none"',
  ].join('|'),
  'g',
);

/**
 * The same picture in less text, with places to a hundredth of a dot: a page about years of days and hundreds of runs would be
 * larger than a page may be.
 */
function slim(svg: string): string {
  return svg
    .replaceAll(SUPERFLUOUS, '')
    .replaceAll(PLACES, (place) =>
      place.replaceAll(LONG_FRACTION, (number) => String(Number(Number(number).toFixed(2)))),
    );
}
