// The reports that applications made of a video: which there are, how one is made, and what in them is to be looked at.

import { api, mediumUrl } from "./server.js";
import { fail } from "./announce.js";
import { jobs, refresh } from "./library.js";
import { computed, useEffect, useMemo, useState, useValue } from "./ui.js";

const NOTHING = [];
const ALARMING = new Set(["moderate", "watch"]); // whose findings are alerts on the timeline

/** Return the address of a report: "html", the page, or "json", the data. */
export const reportUrl = (id, app, format) => mediumUrl(id, `reports/${encodeURIComponent(app)}?format=${format}`);

/** Have an application look at a medium; throws ApiError where the options are wrong. */
export async function makeReport(id, app, options) {
  await api(mediumUrl(id, `apps/${encodeURIComponent(app)}`), { method: "POST", json: { options } });
  await refresh();
}

/** Return the reports of a medium, read anew when a job on it has ended, and a way to delete one. */
export function useReports(medium) {
  const [reports, setReports] = useState(NOTHING);
  const ended = useValue(useMemo(() => computed(() => newestEnded(medium.id)), [medium.id]));
  useEffect(() => {
    let gone = false;
    api(mediumUrl(medium.id, "reports")).then((found) => gone || setReports(found.reports), fail);
    return () => {
      gone = true;
    };
  }, [medium.id, ended]);
  const forget = (app) => api(reportUrl(medium.id, app, "json"), { method: "DELETE" })
    .then(() => setReports((old) => old.filter((one) => one.app !== app)), fail);
  return [reports, forget];
}

const newestEnded = (id) => Math.max(0, ...jobs.value.filter((job) => job.media_id === id && job.finished).map((job) => job.finished));

/** Return what the reports of a medium call to look at, as marks of a lane. */
export function useAlerts(medium, reports) {
  const [alerts, setAlerts] = useState(NOTHING);
  const alarming = reports.filter((one) => ALARMING.has(one.app) && one.findings > 0);
  const which = alarming.map((one) => `${one.app} ${one.made}`).join(" ");
  useEffect(() => {
    let gone = false;
    Promise.all(alarming.map((one) => api(reportUrl(medium.id, one.app, "json"))))
      .then((read) => gone || setAlerts(read.flatMap(marks)), fail);
    return () => {
      gone = true;
    };
  }, [medium.id, which]);
  return alerts;
}

function marks({ findings }) {
  return findings.filter((one) => one.severity !== "info")
    .map((one) => ({ start: one.start_s, end: one.end_s, text: one.title, confidence: one.confidence }));
}
