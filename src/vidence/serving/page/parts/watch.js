// One video: the player, the questions, and the timeline below.

import { api, mediumUrl } from "../server.js";
import { fail } from "../announce.js";
import { clock } from "../clock.js";
import { useKeys } from "../keys.js";
import { indexMedium, isReport, jobOn, jobs, me, media } from "../library.js";
import * as playback from "../playback.js";
import { ask, asked, cited, deleteRun, isOf, listRuns, loadRun } from "../questions.js";
import { go, link, route } from "../route.js";
import { useAlerts, useReports } from "../reports.js";
import { loadSprite } from "../sprite.js";
import { computed, html, useEffect, useMemo, useState, useValue } from "../ui.js";
import { size, t } from "../words.js";
import { Asked } from "./answer.js";
import { AskBox } from "./askbox.js";
import { Icon } from "./icon.js";
import { MediumMenu, ExportMenu, useMediumDialogs } from "./mediummenu.js";
import { Player } from "./player.js";
import { JobPanel } from "./progress.js";
import { Reports } from "./reports.js";
import { RunRow } from "./history.js";
import { Timeline } from "./timeline.js";
import { Transcript } from "./transcript.js";

const NOTHING = [];
const RUNS_SHOWN = 20;
const RUNS_AT_FIRST = 3;
const LIVE_MS = 4000; // how often the timeline is read anew while it grows

export function Watch() {
  const place = useValue(route);
  const medium = useValue(media)?.find((one) => one.id === place.id);
  if (!useValue(media)) return html`<main id="main"><p class="faint" role="status">${t("loading")}</p></main>`;
  if (!medium) return html`<main id="main"><h1 tabindex="-1">${t("watch.unknown")}</h1><p><a href="#/">${t("watch.back")}</a></p></main>`;
  return html`<${Open} key=${medium.id} medium=${medium} query=${place.query} />`;
}

function Open({ medium, query }) {
  useMemo(() => playback.open(medium), [medium.id]);
  const job = jobOn(useValue(jobs), medium.id);
  const timeline = useTimeline(medium, job);
  const sprite = useSprite(medium);
  const senses = useValue(me)?.senses ?? NOTHING;
  const [shown, close, runs, open, forget] = useQuestions(medium, query.run);
  const first = shown[0];
  const [most, setMost] = useState(RUNS_AT_FIRST);
  const evidence = useEvidence(first, medium);
  const [reports, forgetReport] = useReports(medium);
  const alerts = useAlerts(medium, reports);
  const [dialog, act] = useMediumDialogs(medium);
  useStart(query);
  useKeys(KEYS);
  const speech = timeline?.lanes.speech ?? NOTHING;
  const look = (sense) => indexMedium(medium.id, { senses: [sense] }).catch(fail);
  const put = (wish) => {
    ask({ ...wish, media: [medium.id] });
    if (query.run) go("video", medium.id);
  };
  return html`<main id="main" class="watch">
    <header class="watch-head">
      <a class="icon-button" href="#/" aria-label=${t("watch.back")} title=${t("watch.back")}><${Icon} name="back" /></a>
      <div class="watch-name"><h1 tabindex="-1" dir="auto">${medium.name}</h1><p class="faint small">${facts(medium)}</p></div>
      <div class="row nowrap"><${ExportMenu} medium=${medium} /><${MediumMenu} act=${act} medium=${medium} /></div>
    </header>
    ${medium.problems.length > 0 && html`<details class="warning problems"><summary>${t("watch.problems", { n: medium.problems.length })}</summary><ul>${medium.problems.map((one, at) => html`<li key=${at} dir="auto">${one}</li>`)}</ul></details>`}
    <div class="watch-grid">
      <div class="watch-player"><${Player} medium=${medium} speech=${speech} /></div>
      <div class="watch-ask">
        <${AskBox} onAsk=${put} suggestions=${shown.length || runs.length ? NOTHING : suggest(timeline)} busy=${shown.some((one) => one.value.state === "running")} />
        ${shown.map((one) => html`<${Asked} key=${one.value.key} asked=${one} medium=${medium} media=${media.value} onClose=${() => close(one)} />`)}
        ${runs.length > 0 && html`<section class="earlier"><h2>${t("watch.earlier")}</h2><ul class="runs">${runs.slice(0, most).map((run) => html`<${RunRow} key=${run.id} run=${run} onOpen=${() => open(run)} onDelete=${() => forget(run.id)} />`)}</ul>
          ${runs.length > most && html`<button type="button" class="small" onClick=${() => setMost(RUNS_SHOWN)}>${t("watch.more", { n: runs.length - most })}</button>`}</section>`}
      </div>
      <div class="watch-lanes">
        ${job && !isReport(job) && html`<${JobPanel} job=${job} />`}
        ${timeline && html`<${Timeline} timeline=${timeline} senses=${senses} evidence=${evidence} alerts=${alerts} sprite=${sprite} onLook=${look} canLook=${medium.available && !job} />
          <${Transcript} timeline=${timeline} />`}
        <${Reports} medium=${medium} reports=${reports} forget=${forgetReport} />
      </div>
    </div>
    ${dialog}
  </main>`;
}

const KEYS = {
  " ": playback.toggle,
  k: playback.toggle,
  j: () => playback.move(-10),
  l: () => playback.move(10),
  ArrowLeft: () => playback.move(-5),
  ArrowRight: () => playback.move(5),
  "Shift+ArrowLeft": () => playback.move(-1),
  "Shift+ArrowRight": () => playback.move(1),
  ",": () => playback.step(-1),
  ".": () => playback.step(1),
  "<": () => playback.notch(-1),
  ">": () => playback.notch(1),
  m: playback.toggleMuted,
  c: playback.toggleCaptions,
  f: playback.fullscreen,
  a: () => document.getElementById("question").focus(),
  Escape: playback.endLoop,
};

/** Say what a medium is: length, size of the picture, codecs, bytes. */
function facts(medium) {
  const picture = medium.width && `${medium.width} × ${medium.height}`;
  const codecs = [medium.video_codec, medium.audio_codec].filter(Boolean).join(" + ");
  return [clock(medium.duration_s), picture, codecs, size(medium.size_bytes)].filter(Boolean).join(" · ");
}

function suggest(timeline) {
  if (!timeline) return NOTHING;
  const told = (sense) => (timeline.lanes[sense] ?? NOTHING).length > 0;
  return [
    told("speech") && t("suggest.speech"),
    told("text") && t("suggest.text"),
    told("objects") && t("suggest.objects"),
    t("suggest.about"),
  ].filter(Boolean).slice(0, 3);
}

/** Read the timeline, and anew while a job adds to it and when it is done. */
function useTimeline(medium, job) {
  const [timeline, setTimeline] = useState(null);
  const answered = useValue(useMemo(() => computed(() => asked.value.filter((one) => one.value.state === "done").length), []));
  const running = Boolean(job);
  useEffect(() => {
    let gone = false;
    const read = () => api(mediumUrl(medium.id, "timeline")).then((found) => gone || setTimeline(found), fail);
    read();
    const timer = running ? setInterval(read, LIVE_MS) : 0;
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [medium.id, running, answered]);
  return timeline;
}

function useSprite(medium) {
  const [sprite, setSprite] = useState(NOTHING);
  useEffect(() => {
    if (!medium.width || !medium.available) return;
    loadSprite(medium.id).then((cues) => {
      if (cues.length) new Image().src = cues[0].url; // fetched before somebody hovers
      setSprite(cues);
    }, () => null); // nothing to hover is no harm
  }, [medium.id]);
  return sprite;
}

/** Go where a link says: at a moment, or around a span. */
function useStart({ at, to }) {
  useEffect(() => {
    if (at === undefined) return;
    if (to === undefined) playback.seek(Number(at));
    else playback.playSpan(Number(at), Number(to));
  }, [at, to]);
}

/** Return the questions on show, a way to close one, the earlier runs, and ways to open and delete one of those. */
function useQuestions(medium, wanted) {
  const live = useValue(asked).filter((one) => one.value.media.includes(medium.id));
  const [opened, setOpened] = useState(NOTHING);
  const [runs, setRuns] = useState(NOTHING);
  const done = live.filter((one) => one.value.state !== "running").length;
  useEffect(() => {
    listRuns(medium.id, RUNS_SHOWN).then(setRuns, fail);
  }, [medium.id, done]);
  const show = (id) => loadRun(id).then((one) => setOpened((old) => [one, ...old.filter((other) => other.value.run !== one.value.run)]), fail);
  useEffect(() => {
    if (wanted) show(wanted);
  }, [wanted]);
  const shown = [...(wanted ? opened : NOTHING), ...live, ...(wanted ? NOTHING : opened)];
  const close = (one) => {
    asked.value = asked.value.filter((other) => other !== one);
    setOpened((old) => old.filter((other) => other !== one));
    if (String(one.value.run) === wanted) history.replaceState(null, "", link("video", medium.id));
  };
  const forget = async (id) => {
    await deleteRun(id);
    setRuns((old) => old.filter((run) => run.id !== id));
  };
  const onShow = new Set(shown.map((one) => one.value.run));
  return [shown, close, runs.filter((run) => !onShow.has(run.id)), (run) => show(run.id), forget];
}

/** Return the evidence of the newest answer on show as marks of a lane. */
function useEvidence(asked, medium) {
  const state = useValue(asked ?? EMPTY);
  const answer = state?.answers.find((one) => !one.media_id || one.media_id === medium.id);
  return useMemo(() => {
    if (!answer) return NOTHING;
    return cited(answer).filter((item) => isOf(item, medium.id)).map((item) => ({ start: item.start_s, end: item.end_s, text: item.quote, confidence: item.confidence }));
  }, [answer]);
}

const EMPTY = computed(() => null);
