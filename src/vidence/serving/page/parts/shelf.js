// The library: every video as a card, what is on its way, and the invitation where there is none.

import { frameUrl } from "../server.js";
import { dismissJob, jobOn, jobs, looseJobs, media, putAway, cancelJob } from "../library.js";
import { clock } from "../clock.js";
import { link } from "../route.js";
import { classes, html, useValue } from "../ui.js";
import { cancel, pause, resume, uploads } from "../uploads.js";
import { ago, listed, named, size, t } from "../words.js";
import { Add } from "./add.js";
import { Icon, IconButton } from "./icon.js";
import { Bar, jobShare, jobWords } from "./progress.js";

export function Shelf() {
  const [known, work, sent, away] = [useValue(media), useValue(jobs), useValue(uploads), useValue(putAway)];
  const loose = looseJobs(work, known ?? [], away);
  if (!known) return html`<main id="main"><p class="faint" role="status">${t("loading")}</p></main>`;
  const empty = !known.length && !loose.length && !sent.length;
  return html`<main id="main" class="shelf">
    ${!empty && html`<div class="row spread"><h1 tabindex="-1">${t("library.title")}</h1>
      <span class="faint">${t("library.count", { n: known.length })}</span></div>`}
    <${Add} inviting=${empty} />
    <ul class="cards">
      ${sent.map((one) => html`<${UploadCard} key=${`u${one.key}`} one=${one} />`)}
      ${loose.map((job) => html`<${JobCard} key=${`j${job.id}`} job=${job} />`)}
      ${known.map((medium) => html`<${Card} key=${medium.id} medium=${medium} job=${jobOn(work, medium.id)} />`)}
    </ul>
  </main>`;
}

function Card({ medium, job }) {
  const at = medium.start_s + medium.duration_s * 0.2;
  return html`<li class="card medium"><a href=${link("video", medium.id)}>
    <div class="picture">
      ${medium.width && medium.available
        ? html`<img src=${frameUrl(medium.id, at, 270)} alt="" loading="lazy" decoding="async" />`
        : html`<${Icon} name=${medium.width ? "film" : "sound"} size=${40} />`}
      <span class="length">${clock(medium.duration_s)}</span>
    </div>
    <div class="about">
      <h2 dir="auto">${medium.name}</h2>
      ${job ? html`<${Bar} label=${jobWords(job)} share=${jobShare(job)} />` : html`<p class="faint">${seenWords(medium)}</p>`}
      ${!medium.available && html`<p class="warning">${t("library.gone")}</p>`}
      <p class="faint small">${t("library.added", { when: ago(medium.added) })} · ${size(medium.size_bytes)}</p>
    </div></a></li>`;
}

/** Say by which senses a medium was looked at, and where not to the end. */
export function seenWords(medium) {
  const senses = Object.entries(medium.seen);
  const part = senses.filter(([, share]) => share > 0 && share < 0.995).map(([sense]) => named("sense", sense));
  const whole = senses.filter(([, share]) => share >= 0.995).length;
  if (!senses.some(([, share]) => share > 0)) return t("seen.none");
  if (!whole) return t("seen.only_part", { part: listed(part) });
  return part.length ? t("seen.part", { n: whole, part: listed(part) }) : t("seen.whole", { n: whole });
}

function Waiting({ name, failed, children, controls }) {
  return html`<li class=${classes("card", "medium", "pending", failed && "failed")}>
    <div class="picture"><${Icon} name=${failed ? "cross" : "film"} size=${40} /></div>
    <div class="about"><h2 dir="auto">${name}</h2>${children}<div class="row">${controls}</div></div></li>`;
}

function JobCard({ job }) {
  if (job.state === "failed") {
    return html`<${Waiting} name=${job.name} failed=${true} controls=${html`<button type="button" class="small" onClick=${() => dismissJob(job)}>${t("job.dismiss")}</button>`}>
      <p class="error" dir="auto">${t("job.failed", { reason: job.error ?? "" })}</p></${Waiting}>`;
  }
  return html`<${Waiting} name=${job.name} controls=${html`<button type="button" class="small" onClick=${() => cancelJob(job.id)}>${t("job.cancel")}</button>`}>
    <${Bar} label=${jobWords(job)} share=${jobShare(job)} /></${Waiting}>`;
}

function UploadCard({ one }) {
  const stopped = one.state !== "sending";
  const controls = html`<button type="button" class="small" onClick=${() => (stopped ? resume : pause)(one.key)}>${stopped ? t("upload.resume") : t("upload.pause")}</button>
    <${IconButton} name="close" label=${t("upload.cancel", { name: one.name })} onClick=${() => cancel(one.key)} />`;
  const label = stopped ? t("upload.paused") : t("upload.sending", { done: size(one.sent), total: size(one.total) });
  return html`<${Waiting} name=${one.name} failed=${one.state === "failed"} controls=${controls}>
    ${one.error ? html`<p class="error" dir="auto">${one.error}</p>` : html`<${Bar} label=${label} share=${one.total ? one.sent / one.total : Number.NaN} />`}</${Waiting}>`;
}
