/** What the pointer is on, as text beside it. */

let box: HTMLElement | undefined;

/** Vega's tooltip handler. */
export function showTooltip(_handler: unknown, event: MouseEvent, _item: unknown, value: unknown): void {
  box ??= document.body.appendChild(element('div', 'tooltip'));
  box.hidden = value === null || value === undefined || value === '';
  if (box.hidden) return;
  box.replaceChildren(...lines(value));
  const { clientX, clientY } = event;
  const left = Math.min(clientX + 14, window.innerWidth - box.offsetWidth - 8);
  const top =
    clientY + 18 + box.offsetHeight > window.innerHeight ? clientY - box.offsetHeight - 10 : clientY + 18;
  box.style.left = `${Math.max(8, left)}px`;
  box.style.top = `${top}px`;
}

function lines(value: unknown): HTMLElement[] {
  if (typeof value !== 'object' || value === null) return [line('', String(value))];
  return Object.entries(value).map(([name, one]) => line(name, String(one)));
}

function line(name: string, value: string): HTMLElement {
  const made = element('div', 'tooltip-line');
  const label = element('span', 'tooltip-name');
  label.textContent = name;
  const text = element('strong', '');
  text.textContent = value;
  made.append(label, text);
  return made;
}

function element(tag: string, className: string): HTMLElement {
  const made = document.createElement(tag);
  made.className = className;
  return made;
}
