// What applications make of a video: each with what it is for, how far it is, and its report.

import { ago, named, t } from "../words.js";
import { cancelJob, dismissJob, isPutAway, jobs, me, putAway } from "../library.js";
import { reportUrl } from "../reports.js";
import { html, useState, useValue } from "../ui.js";
import { Confirm } from "./dialog.js";
import { Icon } from "./icon.js";
import { MakeReport } from "./makereport.js";
import { Menu } from "./menu.js";
import { Bar, jobShare, jobWords, SenseBars } from "./progress.js";

/** `reports` and `forget` are those of `useReports`. */
export function Reports({ medium, reports, forget }) {
  const apps = useValue(me)?.apps ?? [];
  const work = useValue(jobs);
  useValue(putAway);
  const [asking, setAsking] = useState(null); // {app, what: "make" | "delete"}
  const close = () => setAsking(null);
  if (!apps.length) return null;
  return html`<section class="card reports" aria-labelledby="reports-title">
    <h2 id="reports-title">${t("reports.title")}</h2>
    <ul>${apps.map(({ name, title }) => html`<${App} key=${name} app=${name} title=${named("app", name, title)} medium=${medium}
      report=${reports.find((one) => one.app === name)} job=${work.find((job) => job.media_id === medium.id && job.kind === name)}
      onAsk=${(what) => setAsking({ app: name, what })} />`)}</ul>
    ${asking?.what === "make" && html`<${MakeReport} app=${asking.app} medium=${medium} onClose=${close} />`}
    ${asking?.what === "delete" && html`<${Confirm} title=${t("reports.delete_title", { name: named("app", asking.app) })} text=${t("reports.delete_text")} action=${t("reports.delete")}
      onYes=${() => { close(); forget(asking.app); }} onClose=${close} />`}
  </section>`;
}

/** `job` is the newest of this application on the medium. */
function App({ app, title, medium, report, job, onAsk }) {
  const open = job && !job.finished;
  const failed = job?.state === "failed" && !isPutAway(job) && !(report?.made > job.created);
  const label = `app-${app}`;
  return html`<li><div class="app" role="group" aria-labelledby=${label}>
    <div class="app-about"><h3 id=${label}>${title}</h3>
      ${report ? html`<p dir="auto">${report.summary || t("reports.no_summary")}</p><p class="small faint">${t("reports.findings", { n: report.findings })} · ${ago(report.made)}</p>` : html`<p class="faint">${named("about", app, "")}</p>`}</div>
    <div class="row app-do">
      ${report && html`<a class="button" href=${reportUrl(medium.id, app, "html")} target="_blank" rel="noopener" aria-label=${t("reports.open_label", { name: title })}>${t("reports.open")}<${Icon} name="outside" size=${16} /></a>
        <${Menu} label=${t("reports.menu", { name: title })} icon="more" items=${[
          { label: t("reports.json"), hint: ".json", href: reportUrl(medium.id, app, "json"), download: "" },
          medium.available && !open && { label: t("reports.again"), onPick: () => onAsk("make") },
          { label: t("reports.delete"), onPick: () => onAsk("delete"), danger: true },
        ].filter(Boolean)} />`}
      ${!report && !open && html`<button type="button" disabled=${!medium.available} aria-label=${t("reports.make_label", { name: title })} onClick=${() => onAsk("make")}>${t("reports.make")}</button>`}
    </div>
    ${open && html`<div class="app-job"><div class="row spread"><strong class="small" role="status">${jobWords(job, true)}</strong>
        <button type="button" class="small" aria-label=${t("reports.stop_label", { name: title })} onClick=${() => cancelJob(job.id)}>${t("job.cancel")}</button></div>
      ${Object.keys(job.progress).length > 0 ? html`<${SenseBars} progress=${job.progress} />` : html`<${Bar} label="" share=${jobShare(job)} />`}</div>`}
    ${failed && html`<div class="row spread app-job"><p class="error" role="alert" dir="auto">${t("job.failed", { reason: job.error ?? "" })}</p>
      <button type="button" class="small" onClick=${() => dismissJob(job)}>${t("job.dismiss")}</button></div>`}
  </div></li>`;
}
