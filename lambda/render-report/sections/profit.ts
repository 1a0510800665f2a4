/** Expected profit by the number of users contacted. */
import type { ChartBook } from '../charts.ts';
import { COLOURS } from '../charts.ts';
import { type ContactData, LIST_DATA, PROFIT_CHART, PROFIT_DATA } from '../client/page-data.ts';
import { listMark, profitRows } from '../contact-figures.ts';
import { type Html, html } from '../html.ts';

export async function profitFigure({ bins, terms }: ContactData, book: ChartBook): Promise<Html> {
  const x = {
    field: 'users',
    type: 'quantitative',
    axis: { title: 'Users contacted, the most probable first', tickCount: 6, format: ',.0f' },
  } as const;
  const y = {
    field: 'profit',
    type: 'quantitative',
    axis: { title: 'Expected profit', tickCount: 5, format: ',.0f' },
  } as const;
  const tooltip = [
    { field: 'users', title: 'users', type: 'quantitative', format: ',.0f' },
    { field: 'cancelling', title: 'expected to cancel', type: 'quantitative', format: ',.0f' },
    { field: 'profit', title: 'expected profit', type: 'quantitative', format: ',.0f' },
    { field: 'low', title: 'at least (95 %)', type: 'quantitative', format: ',.0f' },
    { field: 'high', title: 'at most (95 %)', type: 'quantitative', format: ',.0f' },
  ] as const;
  const drawn = await book.draw(
    PROFIT_CHART,
    {
      width: 760,
      height: 220,
      layer: [
        {
          data: { values: [{ profit: 0 }] },
          mark: { type: 'rule', color: COLOURS.neutral },
          encoding: { y },
        },
        {
          data: { name: PROFIT_DATA, values: [...profitRows(bins, terms)] },
          layer: [
            {
              mark: { type: 'area', color: COLOURS.accent, opacity: 0.15 },
              encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' } },
            },
            {
              mark: { type: 'line', color: COLOURS.accent, strokeWidth: 2.5 },
              encoding: { x, y, tooltip: [...tooltip] },
            },
          ],
        },
        {
          data: { name: LIST_DATA, values: [...listMark(bins, terms)] },
          layer: [
            {
              mark: { type: 'rule', color: COLOURS.contrast, strokeDash: [4, 4] },
              encoding: { x },
            },
            {
              mark: { type: 'point', filled: true, size: 90, opacity: 1, color: COLOURS.contrast },
              encoding: { x, y, tooltip: [...tooltip] },
            },
            {
              mark: {
                type: 'text',
                align: 'left',
                dx: 9,
                dy: -9,
                color: COLOURS.contrast,
                fontSize: 12,
                fontWeight: 600,
              },
              encoding: { x, y, text: { field: 'label' } },
            },
          ],
        },
      ],
    },
    'Expected profit by the number of users contacted, with the list at its highest point',
  );
  return html`<figure><h3>Where does contacting stop paying?</h3>${drawn}
<figcaption>Each further user is less likely to cancel than the one before. Beyond the highest point an offer costs more than it saves.
The band is what chance alone makes of it, in 95 of 100 cases, if the probabilities are right.</figcaption></figure>`;
}
