/** Charts that come alive when they are seen: the same specification that was drawn when the page was rendered. */
import { parse, type Runtime, View } from 'vega';
import { expressionInterpreter } from 'vega-interpreter';
import type { PageData } from './page-data.ts';
import { showTooltip } from './tooltip.ts';

export interface LiveCharts {
  /** Replaces the rows of a data set of a chart, now or when it comes alive. */
  readonly replace: (chart: string, dataSet: string, rows: readonly object[]) => void;
}

export function liveCharts({ charts: specs, look }: Pick<PageData, 'charts' | 'look'>): LiveCharts {
  const views = new Map<string, View>();
  const waiting = new Map<string, Map<string, readonly object[]>>();
  const awaken = async (element: Element): Promise<void> => {
    const spec = specs[element.id];
    if (spec === undefined || views.has(element.id) || !(element instanceof HTMLElement)) return;
    const drawn = [...element.childNodes];
    try {
      const view = viewOf(spec, look, element);
      views.set(element.id, view);
      for (const [name, rows] of waiting.get(element.id) ?? []) put(view, name, rows);
      await view.runAsync();
      element.classList.add('alive');
    } catch {
      // The chart as it was drawn says the same.
      element.replaceChildren(...drawn);
    }
  };
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        observer.unobserve(target);
        void awaken(target);
      }
    },
    { rootMargin: '200px' },
  );
  for (const id of Object.keys(specs)) {
    const element = document.getElementById(id);
    if (element !== null) observer.observe(element);
  }
  return {
    replace(chart, dataSet, rows) {
      const view = views.get(chart);
      if (view === undefined) {
        const sets = waiting.get(chart) ?? new Map();
        waiting.set(chart, sets.set(dataSet, rows));
        return;
      }
      put(view, dataSet, rows);
      void view.runAsync();
    },
  };
}

/** No code is made of text: the expressions are interpreted from their syntax trees. */
function viewOf(spec: object, look: object, container: HTMLElement): View {
  const runtime: Runtime = parse(spec, look, { ast: true });
  return new View(runtime, {
    expr: expressionInterpreter,
    renderer: 'svg',
    container,
    hover: true,
    tooltip: showTooltip,
  });
}

function put(view: View, name: string, rows: readonly object[]): void {
  // Vega marks the rows it holds as its own, so it gets copies.
  view.data(
    name,
    rows.map((row) => ({ ...row })),
  );
}
