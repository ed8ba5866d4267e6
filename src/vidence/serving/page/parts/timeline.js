// The timeline: a ruler to move along, and below it one lane a sense, shaded where nobody looked.

import { range, clock } from "../clock.js";
import { isQuiet, makeLanes, ticks } from "../lanes.js";
import * as playback from "../playback.js";
import { cueAt } from "../sprite.js";
import { effect, html, useEffect, useLayoutEffect, useMemo, useRef, useState, useValue } from "../ui.js";
import { t } from "../words.js";
import { IconButton } from "./icon.js";
import { LaneRow } from "./lane.js";

const CLOSEST_S = 2; // the shortest view
const TICK_PX = 90;
const ROOM_PX = 220; // that a picture above the pointer takes

export function Timeline({ timeline, senses, evidence, alerts, sprite, onLook, canLook }) {
  const whole = { from: timeline.start_s, to: Math.max(timeline.end_s, timeline.start_s + 0.1) };
  const [view, setView] = useState(whole);
  const [filter, setFilter] = useState("");
  const [all, setAll] = useState(false);
  const [hover, setHover] = useState(null);
  const box = useRef(null);
  const width = useWidth(box);
  useEffect(() => setView(whole), [timeline.start_s, timeline.end_s]);
  usePlayheadInView(view, setView, whole);
  const lanes = useMemo(() => makeLanes(timeline, senses, { evidence, alerts }), [timeline, senses, evidence, alerts]);
  const shown = lanes.filter((lane) => all || !isQuiet(lane));
  const zoom = (by) => setView(zoomed(view, whole, by));
  const zoomedIn = view.to - view.from < whole.to - whole.from - 1e-6;
  return html`<section class="timeline card" aria-label=${t("timeline.label")}>
    <div class="row spread timeline-head">
      <h2>${t("timeline.title")}</h2>
      <div class="row">
        <input type="search" class="small" placeholder=${t("timeline.filter")} aria-label=${t("timeline.filter")} value=${filter} onInput=${(event) => setFilter(event.target.value)} />
        <${IconButton} name="zoom_out" label=${t("timeline.zoom_out")} disabled=${!zoomedIn} onClick=${() => zoom(2)} />
        <${IconButton} name="zoom_in" label=${t("timeline.zoom_in")} disabled=${view.to - view.from <= CLOSEST_S} onClick=${() => zoom(0.5)} />
      </div>
    </div>
    <div class="lanes" ref=${box} onPointerLeave=${() => setHover(null)} onPointerMove=${(event) => setHover(hovered(event, box.current, view))}
      onWheel=${(event) => wheel(event, view, whole, setView)}>
      <${Ruler} view=${view} width=${width} />
      ${shown.map((lane) => html`<${LaneRow} key=${lane.name} lane=${lane} view=${view} filter=${filter.trim().toLowerCase()} onLook=${onLook} canLook=${canLook} />`)}
      <${Playhead} view=${view} />
      ${hover && html`<${Peek} hover=${hover} sprite=${sprite} start=${timeline.start_s} />`}
    </div>
    <${Legend} unseen=${shown.some((lane) => lane.unseen.length > 0)} failed=${timeline.failures.length > 0} quiet=${lanes.filter(isQuiet).length} all=${all} onAll=${setAll} />
  </section>`;
}

/** What the hatching says, and a way to the lanes that are folded away; nothing where there is neither. */
function Legend({ unseen, failed, quiet, all, onAll }) {
  if (!unseen && !failed && !quiet) return null;
  const swatch = (kind, text) => html`<span class=${`swatch ${kind}`} aria-hidden="true"></span>${text}`;
  return html`<div class="row spread legend">
    <span class="row">${unseen && swatch("unseen", t("timeline.unseen"))}${failed && swatch("failed", t("timeline.failed"))}</span>
    ${quiet > 0 && html`<button type="button" class="small" aria-expanded=${all ? "true" : "false"} onClick=${() => onAll(!all)}>${all ? t("timeline.fewer") : t("timeline.more", { n: quiet })}</button>`}
  </div>`;
}

function useWidth(box) {
  const [width, setWidth] = useState(600);
  useLayoutEffect(() => {
    const watcher = new ResizeObserver(([entry]) => setWidth(entry.contentRect.width));
    watcher.observe(box.current);
    return () => watcher.disconnect();
  }, []);
  return width;
}

/** Move the view along while the video plays past its edge. */
function usePlayheadInView(view, setView, whole) {
  useEffect(() => playback.now.subscribe((at) => {
    const length = view.to - view.from;
    if (at >= view.from - 1e-3 && at <= view.to + 1e-3) return;
    if (length >= whole.to - whole.from - 1e-6) return;
    setView(shifted(view, whole, at - view.from - length * 0.1));
  }), [view.from, view.to]);
}

function shifted(view, whole, by) {
  const length = view.to - view.from;
  const from = Math.min(Math.max(view.from + by, whole.from), whole.to - length);
  return { from, to: from + length };
}

/** Return a view `by` times as long, around the playhead where that is in it. */
function zoomed(view, whole, by) {
  const length = Math.min(Math.max((view.to - view.from) * by, CLOSEST_S), whole.to - whole.from);
  const at = playback.now.value;
  const middle = at >= view.from && at <= view.to ? at : (view.from + view.to) / 2;
  return shifted({ from: middle - length / 2, to: middle + length / 2 }, whole, 0);
}

function wheel(event, view, whole, setView) {
  if (Math.abs(event.deltaX) <= Math.abs(event.deltaY)) return;
  const length = view.to - view.from;
  if (length < whole.to - whole.from) setView(shifted(view, whole, (event.deltaX / 600) * length));
}

/** Return {at, left, text} of the pointer over a track, else null. */
function hovered(event, box, view) {
  const track = event.target.closest?.(".track");
  if (!track || event.pointerType === "touch") return null;
  const place = track.getBoundingClientRect();
  const share = (event.clientX - place.left) / place.width;
  if (share < 0 || share > 1) return null;
  const outer = box.getBoundingClientRect();
  const text = event.target.closest("[data-says]")?.dataset.says ?? "";
  const below = place.top < ROOM_PX;
  const top = (below ? place.bottom : place.top) - outer.top;
  return { at: view.from + share * (view.to - view.from), left: event.clientX - outer.left, top, below, width: outer.width, text };
}

/** The picture under the pointer, its time, and what the mark says. */
function Peek({ hover, sprite, start }) {
  const cue = cueAt(sprite, hover.at - start);
  const half = Math.max(cue?.w ?? 0, 120) / 2 + 8;
  const left = Math.min(Math.max(hover.left, half), hover.width - half);
  return html`<div class=${hover.below ? "peek below" : "peek"} style=${{ left: `${left}px`, top: `${hover.top}px` }} aria-hidden="true">
    ${cue && html`<div class="peek-picture" style=${{ width: `${cue.w}px`, height: `${cue.h}px`, backgroundImage: `url("${cue.url}")`, backgroundPosition: `-${cue.x}px -${cue.y}px` }}></div>`}
    <span class="peek-time">${clock(hover.at, true)}</span>
    ${hover.text && html`<span class="peek-text" dir="auto">${hover.text}</span>`}
  </div>`;
}

/** The line of now over all lanes; it is moved by hand, so that nothing is drawn anew sixty times a second. */
function Playhead({ view }) {
  const line = useRef(null);
  useLayoutEffect(() => effect(() => {
    const share = (playback.now.value - view.from) / (view.to - view.from);
    line.current.style.setProperty("--at", share);
    line.current.hidden = share < 0 || share > 1;
  }), [view.from, view.to]);
  return html`<div class="playhead-area" aria-hidden="true"><div class="playhead" ref=${line}></div></div>`;
}

/** The ruler is a slider: press, drag, or use the arrow keys. */
function Ruler({ view, width }) {
  const at = useValue(playback.now);
  const looped = useValue(playback.loop);
  const length = view.to - view.from;
  const percent = (time) => `${((time - view.from) / length) * 100}%`;
  const press = (event) => {
    const track = event.currentTarget;
    const drag = (to) => {
      const place = track.getBoundingClientRect();
      playback.endLoop();
      playback.seek(view.from + Math.min(Math.max((to.clientX - place.left) / place.width, 0), 1) * length);
    };
    drag(event);
    track.setPointerCapture(event.pointerId);
    track.onpointermove = drag;
    track.onpointerup = track.onpointercancel = () => { track.onpointermove = null; };
  };
  return html`<div class="lane ruler"><span class="lane-name"></span>
    <div class="track" role="slider" tabindex="0" aria-label=${t("timeline.position")} aria-valuemin=${Math.floor(view.from)} aria-valuemax=${Math.ceil(view.to)}
      aria-valuenow=${Math.round(at * 10) / 10} aria-valuetext=${clock(at, true)} onPointerDown=${press} onKeyDown=${(event) => steer(event, view)}>
      ${ticks(view.from, view.to - length * 0.04, Math.max(2, width / TICK_PX)).map((one) => html`<span key=${one} class="tick" style=${{ left: percent(one) }}>${clock(one, one % 1 !== 0)}</span>`)}
      ${looped && html`<span class="looped" title=${range(looped.start, looped.end)} style=${{ left: percent(looped.start), width: `${((looped.end - looped.start) / length) * 100}%` }}></span>`}
    </div></div>`;
}

function steer(event, view) {
  const page = (view.to - view.from) / 10;
  const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -page, PageUp: page }[event.key];
  if (by !== undefined) playback.move(by);
  else if (event.key === "Home") playback.seek(view.from);
  else if (event.key === "End") playback.seek(view.to);
  else return;
  event.preventDefault();
  event.stopPropagation();
}
