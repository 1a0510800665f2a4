/** "Whom to contact" as it reacts: sliders, figures, profit curve, and the list with search, order and download. */
import { listOf, profitOfContact, type Terms } from '../../../domain/money.ts';
import { bars, figuresOf, listMark, profitRows } from '../contact-figures.ts';
import { csvOf } from '../csv.ts';
import { money, percentText, whole } from '../figures-text.ts';
import type { LiveCharts } from './live-charts.ts';
import {
  type ContactData,
  LIST_DATA,
  type ListedUser,
  PROFIT_CHART,
  PROFIT_DATA,
  ROWS_AT_ONCE,
} from './page-data.ts';

type Order = 'id' | 'probability' | 'value' | 'level';

const TERM_NAMES = ['offerCost', 'contactCost', 'customerValue', 'acceptance'] as const;

export function contactList(data: ContactData, charts: LiveCharts): void {
  const root = document.getElementById('contacts');
  const form = root?.querySelector<HTMLFormElement>('form.terms');
  const body = root?.querySelector<HTMLElement>('table.users tbody');
  if (!root || !form || !body) return;

  let terms = data.terms;
  let order: { readonly by: Order; readonly descending: boolean } = { by: 'value', descending: true };
  let most = ROWS_AT_ONCE;
  const search = root.querySelector<HTMLInputElement>('input[type=search]');
  const more = root.querySelector<HTMLButtonElement>('button.more');
  const put = (name: string, text: string): void => {
    for (const place of root.querySelectorAll(`[data-figure="${name}"]`)) place.textContent = text;
  };

  const chosen = (): readonly ListedUser[] => {
    const words = (search?.value ?? '').toLocaleLowerCase().split(/\s+/).filter(Boolean);
    const isListed = ({ probability }: ListedUser): boolean => profitOfContact(probability, terms) >= 0;
    const isFound = (user: ListedUser): boolean => {
      const text = `${user.id} ${user.level} ${user.reasons}`.toLocaleLowerCase();
      return words.every((word) => text.includes(word));
    };
    return data.users.filter((user) => isListed(user) && isFound(user)).toSorted(comparing(order));
  };

  const drawRows = (): void => {
    const users = chosen();
    body.replaceChildren(...users.slice(0, most).map((user) => row(user, terms)));
    if (more !== null) {
      more.hidden = users.length <= most;
      more.textContent = `Show ${whole(Math.min(500, users.length - most))} more`;
    }
    const listed = listOf(data.bins, terms).users;
    const held = data.users.filter(({ probability }) => profitOfContact(probability, terms) >= 0).length;
    put('shown', shownText(Math.min(most, users.length), users.length, held, listed));
    for (const head of root.querySelectorAll<HTMLElement>('th[data-order]')) {
      const isOwn = head.dataset.order === order.by;
      head.setAttribute('aria-sort', isOwn ? (order.descending ? 'descending' : 'ascending') : 'none');
    }
  };

  const drawFigures = (): void => {
    for (const { name, text } of figuresOf(data, terms)) put(name, text);
    for (const { name, text } of bars(terms)) put(name, text);
    charts.replace(PROFIT_CHART, PROFIT_DATA, profitRows(data.bins, terms));
    charts.replace(PROFIT_CHART, LIST_DATA, listMark(data.bins, terms));
    root.classList.toggle('nobody', listOf(data.bins, terms).users === 0);
  };

  const readTerms = (): void => {
    const values = new FormData(form);
    const read = (name: keyof Terms): number => Number(values.get(name));
    terms = {
      offerCost: read('offerCost'),
      contactCost: read('contactCost'),
      customerValue: read('customerValue'),
      acceptance: read('acceptance') / 100,
    };
  };
  const update = (): void => {
    readTerms();
    drawFigures();
    drawRows();
  };
  form.addEventListener('input', update);
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('reset', () => requestAnimationFrame(update));
  search?.addEventListener('input', () => {
    most = ROWS_AT_ONCE;
    drawRows();
  });
  more?.addEventListener('click', () => {
    most += 500;
    drawRows();
  });
  for (const head of root.querySelectorAll<HTMLElement>('th[data-order]')) {
    head.querySelector('button')?.addEventListener('click', () => {
      const by = orderOf(head.dataset.order);
      order = {
        by,
        descending: order.by === by ? !order.descending : by === 'probability' || by === 'value',
      };
      drawRows();
    });
  }
  root.querySelector('button.download')?.addEventListener('click', () => {
    const users = chosen();
    download(
      `contacts-${data.runId}.csv`,
      csvOf(users, (user) => profitOfContact(user.probability, terms), data.runId),
    );
  });
  // A browser that goes back to the page restores what was entered.
  if (TERM_NAMES.some((name) => form.querySelector<HTMLInputElement>(`[name=${name}]`) === null)) return;
  update();
}

function orderOf(text: string | undefined): Order {
  return text === 'id' || text === 'probability' || text === 'level' ? text : 'value';
}

function comparing({ by, descending }: { readonly by: Order; readonly descending: boolean }) {
  const upwards = (a: ListedUser, b: ListedUser): number =>
    by === 'id' || by === 'level'
      ? a[by].localeCompare(b[by], 'en', { numeric: true })
      : a.probability - b.probability;
  return (a: ListedUser, b: ListedUser): number => (descending ? -upwards(a, b) : upwards(a, b));
}

function shownText(shown: number, found: number, held: number, listed: number): string {
  const beyond =
    listed > held
      ? ` The page holds the first ${whole(held)} of the ${whole(listed)} users on the list.`
      : '';
  const rows =
    shown === found ? `${whole(found)} users.` : `The first ${whole(shown)} of ${whole(found)} users.`;
  return `${rows}${beyond}`;
}

function row(user: ListedUser, terms: Terms): HTMLTableRowElement {
  const made = document.createElement('tr');
  const head = document.createElement('th');
  head.scope = 'row';
  const id = document.createElement('bdi');
  id.className = 'id';
  id.textContent = user.id;
  head.append(id);
  made.append(
    head,
    cell(percentText(user.probability), 'number'),
    cell(money(profitOfContact(user.probability, terms)), 'number'),
    cell(user.level),
    cell(user.reasons),
  );
  return made;
}

function cell(text: string, className = ''): HTMLTableCellElement {
  const made = document.createElement('td');
  if (className !== '') made.className = className;
  made.textContent = text;
  return made;
}

function download(name: string, text: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
