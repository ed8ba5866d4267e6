// How far a job is: in the queue, on its way here, or looked at by each sense.

import { cancelJob, isReport } from "../library.js";
import { html } from "../ui.js";
import { named, percent, size, t } from "../words.js";

/** A bar with its name and share. */
export function Bar({ label, share }) {
  const known = Number.isFinite(share);
  const shown = known ? Math.min(Math.max(share, 0), 1) : null;
  return html`<div class="bar"><span class="bar-name">${label}</span>
    <progress max="1" value=${shown} aria-label=${label}></progress>
    <span class="bar-share">${known ? percent(shown) : ""}</span></div>`;
}

const share = ({ done_s, total_s }) => (total_s > 0 ? done_s / total_s : Number.NaN);

/** Bars by sense. */
export function SenseBars({ progress }) {
  return html`<div class="bars">${Object.entries(progress).map(([sense, how]) =>
    html`<${Bar} key=${sense} label=${named("sense", sense)} share=${share(how)} />`)}</div>`;
}

/** Return the share of a job that is done, over all senses; NaN while unknown. */
export function jobShare(job) {
  const parts = Object.values(job.progress ?? {});
  if (!parts.length) return job.bytes?.total ? job.bytes.done / job.bytes.total : Number.NaN;
  return parts.reduce((sum, part) => sum + Math.min(share(part), 1), 0) / parts.length;
}

/** Say in words where a job is. */
export function jobWords(job, withShare = false) {
  if (job.state === "queued") return job.place > 1 ? t("job.place", { n: job.place }) : t("job.next");
  if (job.kind === "fetch") {
    if (!job.bytes) return t("job.fetch_begun");
    const done = size(job.bytes.done);
    return job.bytes.total ? t("job.fetching_of", { done, total: size(job.bytes.total) }) : t("job.fetching", { done });
  }
  const part = jobShare(job);
  if (isReport(job) && !(part < 0.995)) return t("job.making");
  return withShare && Number.isFinite(part) ? t("job.looking_share", { share: percent(part) }) : t("job.looking");
}

/** A job in full: words, bars by sense, and a way to stop it. */
export function JobPanel({ job }) {
  const senses = Object.keys(job.progress ?? {}).length > 0;
  return html`<section class="card job" aria-label=${t("job.label")}>
    <div class="row spread"><strong role="status">${jobWords(job, true)}</strong>
      <button type="button" class="small" onClick=${() => cancelJob(job.id)}>${t("job.cancel")}</button></div>
    ${senses ? html`<${SenseBars} progress=${job.progress} />` : html`<${Bar} label="" share=${jobShare(job)} />`}
  </section>`;
}
