/** In place of the parts of Vega that no chart of the report uses (`PAGE_SCRIPT.absent`), which would be a sixth of the page's script. */
export {};
