// The user's videos and the jobs on them, as the server has them.

import { api, hasToken, mediumUrl, renewSession, signedOut } from "./server.js";
import { fail } from "./announce.js";
import { batch, signal } from "./ui.js";

const BUSY_MS = 1000;
const IDLE_MS = 20_000;
const KEPT_JOBS_S = 3600; // a failed job is shown for so long, unless it is put away

/** What the server is and offers; null until it answered. */
export const me = signal(null);

/** The media, the newest first; null until they are known. */
export const media = signal(null);

/** The jobs. */
export const jobs = signal([]);

const PUT_AWAY = "vidence.put-away";

/** Failed jobs that were put away, each as `jobKey` names it; as long as the tab is open. */
export const putAway = signal(new Set(JSON.parse(sessionStorage.getItem(PUT_AWAY) ?? "[]")));

const jobKey = (job) => `${job.id} ${job.created}`; // another server here may count from one as well

/** Kinds of jobs that bring a video in and look at it; all others make a report of one. */
const OWN_KINDS = new Set(["fetch", "index"]);

/** Say whether a job makes a report. */
export const isReport = (job) => !OWN_KINDS.has(job.kind);

const isOpen = (job) => job.state === "queued" || job.state === "running";

/** Return the unfinished job on a medium, if any: one that runs before those that wait. */
export function jobOn(list, id) {
  const open = list.filter((job) => isOpen(job) && job.media_id === id);
  return open.find((job) => job.state === "running") ?? open.at(-1) ?? null;
}

/** Say whether a failed job was put away. */
export const isPutAway = (job) => putAway.value.has(jobKey(job));

/** Return jobs that stand for themselves: what is being fetched, or failed, and is no known medium. */
export function looseJobs(list, known, away) {
  const recent = Date.now() / 1000 - KEPT_JOBS_S;
  return list.filter((job) => {
    const shown = job.media_id && known.some((medium) => medium.id === job.media_id);
    if (isOpen(job) || (shown && isReport(job))) return !shown;
    return job.state === "failed" && !away.has(jobKey(job)) && (job.finished ?? job.created) > recent;
  });
}

/** Learn who one is and what there is; then look again from time to time, often while something is under way. */
export async function start() {
  await renewSession();
  const who = await api("api/me");
  if (who.tokens && !hasToken()) {
    signedOut.value = true;
    return;
  }
  me.value = who;
  await refresh();
  schedule();
}

let timer = 0;

function schedule() {
  clearTimeout(timer);
  timer = setTimeout(watch, jobs.value.some(isOpen) ? BUSY_MS : IDLE_MS);
}

async function watch() {
  if (!document.hidden && !signedOut.value && me.value) await refreshJobs().catch(() => null);
  schedule();
}

addEventListener("visibilitychange", () => {
  if (!document.hidden && me.value) watch();
});

/** Ask for media and jobs anew. */
export async function refresh() {
  const [found, work] = await Promise.all([api("api/media"), api("api/jobs")]);
  batch(() => {
    media.value = found.media.sort((a, b) => b.added - a.added);
    jobs.value = work.jobs;
  });
  schedule();
}

async function refreshJobs() {
  const before = new Map(jobs.value.map((job) => [job.id, `${job.state} ${job.media_id}`]));
  const { jobs: now } = await api("api/jobs");
  const changed = now.length !== before.size || now.some((job) => before.get(job.id) !== `${job.state} ${job.media_id}`);
  if (changed) await refresh();
  else jobs.value = now;
}

/** Fetch a video from an address. */
export async function addUrl(url) {
  await api("api/media", { method: "POST", json: { url } });
  await refresh();
}

/** Perceive a medium with some senses, or with all. */
export async function indexMedium(id, wish = {}) {
  await api(mediumUrl(id, "index"), { method: "POST", json: wish });
  await refresh();
}

/** Stop a job. */
export async function cancelJob(id) {
  await api(`api/jobs/${encodeURIComponent(id)}`, { method: "DELETE" }).catch(fail);
  await refresh();
}

/** Hide a failed job. */
export function dismissJob(job) {
  putAway.value = new Set([...putAway.value, jobKey(job)]);
  sessionStorage.setItem(PUT_AWAY, JSON.stringify([...putAway.value]));
}

/** Give a medium another name. */
export async function renameMedium(id, name) {
  await api(mediumUrl(id), { method: "PATCH", json: { name } });
  await refresh();
}

/** Delete a medium and all that is known of it. */
export async function deleteMedium(id) {
  await api(mediumUrl(id), { method: "DELETE" });
  await refresh();
}
