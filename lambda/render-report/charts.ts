/** Charts as inline SVG, drawn by Vega without a browser. Colours are variables of the page, so they follow its dark mode. */
import { parse, View } from 'vega';
import { type Config, compile, type TopLevelSpec } from 'vega-lite';
import { escaped, Html } from './html.ts';

const FONT = 'system-ui, -apple-system, Segoe UI, Roboto, Liberation Sans, sans-serif';
/** Colours by meaning. */
export const COLOURS = {
  accent: 'var(--accent)',
  contrast: 'var(--contrast)',
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

/** Draws a chart. @param description what it shows, for readers who cannot see it */
export async function chart(spec: TopLevelSpec, description: string): Promise<Html> {
  const compiled = compile({ ...spec, description, config: CONFIG });
  const view = new View(parse(compiled.spec), { renderer: 'none' });
  try {
    const markup = await view.toSVG();
    return new Html(markup.replace('<svg ', `<svg role="img" aria-label="${escaped(description)}" `));
  } finally {
    view.finalize();
  }
}
