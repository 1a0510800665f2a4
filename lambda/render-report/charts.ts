/**
 * Charts: Vega-Lite compiled to Vega and drawn as inline SVG, without a browser. The page's script draws the same Vega
 * specification again when a chart is seen. Colours are variables of the page, so they follow its dark mode.
 */
import { parse, View } from 'vega';
import { type Config, compile, type TopLevelSpec } from 'vega-lite';
import type { SelectionParameter } from 'vega-lite/types_unstable/selection.js';
import { escaped, Html, html } from './html.ts';

const FONT = 'system-ui, -apple-system, Segoe UI, Roboto, Liberation Sans, sans-serif';
/** Colours by meaning. */
export const COLOURS = {
  accent: 'var(--accent)',
  contrast: 'var(--contrast)',
  third: 'var(--third)',
  neutral: 'var(--neutral)',
  ink: 'var(--ink)',
} as const;

const CONFIG: Config = {
  background: 'transparent',
  font: FONT,
  view: { stroke: null },
  axis: {
    labelColor: 'var(--muted)',
    titleColor: 'var(--muted)',
    titleFontWeight: 'normal',
    labelFontSize: 12,
    titleFontSize: 12,
    gridColor: 'var(--rule)',
    domainColor: 'var(--rule)',
    tickColor: 'var(--rule)',
    // Without a browser Vega overestimates the width of text and would truncate labels that fit.
    labelLimit: 0,
  },
  legend: { labelColor: 'var(--ink)', titleColor: 'var(--muted)', labelFontSize: 12, labelLimit: 0 },
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

  /** Vega specifications by the id of the element in which each is drawn. */
  get specs(): Readonly<Record<string, object>> {
    return Object.fromEntries(this.#specs);
  }

  /** Draws a chart. @param description what it shows, for readers who cannot see it */
  async draw(id: string, spec: TopLevelSpec, description: string): Promise<Html> {
    // The address of the schema is of no use to the page, which names nothing outside it.
    const { $schema: _, ...compiled } = compile({ ...spec, description, config: CONFIG }).spec;
    this.#specs.set(id, compiled);
    const view = new View(parse(compiled), { renderer: 'none' });
    try {
      const markup = await view.toSVG();
      const svg = markup.replace('<svg ', `<svg role="img" aria-label="${escaped(description)}" `);
      return html`<div class="chart" id="${id}">${new Html(svg)}</div>`;
    } finally {
      view.finalize();
    }
  }
}
