/** What is wider than its place can be scrolled with the keyboard, too: only then it is a stop of the tabulator. */

export function reachableScrollers(): void {
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (!(target instanceof HTMLElement)) continue;
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute('tabindex');
    }
  });
  for (const element of document.querySelectorAll('.scroll, .chart')) observer.observe(element);
}
