/** The page's script: one constant program, the same for every report; all it knows of a run is the page's data. */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

import { contactList } from './contact-list.ts';
import { followContents } from './contents.ts';
import { liveCharts } from './live-charts.ts';
import { DATA_ID, type PageData, unpacked } from './page-data.ts';
import { reachableScrollers } from './scrollers.ts';

const text = document.getElementById(DATA_ID)?.textContent;
if (text) {
  const data: PageData = JSON.parse(text);
  document.documentElement.classList.add('scripted');
  const charts = liveCharts(data);
  if (data.contacts !== null) contactList(unpacked(data.contacts), charts);
  followContents();
  reachableScrollers();
}
