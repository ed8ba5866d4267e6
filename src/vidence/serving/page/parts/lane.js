// One lane: marks to press, and hatching where its sense did not look or could not.

import { range } from "../clock.js";
import { layOut } from "../lanes.js";
import * as playback from "../playback.js";
import { classes, html, useMemo, useState } from "../ui.js";
import { named, t } from "../words.js";

export function LaneRow({ lane, view, filter, onLook, canLook }) {
  const marks = useMemo(() => layOut(lane.marks, view.from, view.to), [lane, view.from, view.to]);
  const rows = marks.reduce((most, mark) => Math.max(most, mark.row + 1), 1);
  const title = named("sense", lane.name);
  const jump = (event) => {
    if (event.target !== event.currentTarget && !event.target.matches(".unseen, .failed, .nothing")) return;
    const place = event.currentTarget.getBoundingClientRect();
    playback.endLoop();
    playback.seek(view.from + ((event.clientX - place.left) / place.width) * (view.to - view.from));
  };
  return html`<div class=${`lane ${kind(lane.name)}`} role="group" aria-label=${t("lane.label", { name: title, n: lane.marks.length + lane.more })} data-lane=${lane.name}>
    <span class="lane-name" title=${title}>${title}${lane.marks.length > 0 && html` <small class="faint" aria-hidden="true">${lane.marks.length + lane.more}</small>`}</span>
    <div class="track" style=${{ "--rows": rows }} onClick=${jump}>
      ${lane.unseen.map((span) => html`<${Shade} key=${`u${span.start}`} span=${span} view=${view} kind="unseen" says=${t("timeline.unseen")} />`)}
      ${lane.failed.map((span) => html`<${Shade} key=${`f${span.start}`} span=${span} view=${view} kind="failed" says=${t("timeline.failed_why", { reason: span.reason })} />`)}
      <${Marks} marks=${marks} view=${view} filter=${filter} title=${title} />
      ${!lane.marks.length && !lane.unseen.length && !lane.failed.length && html`<span class="nothing">${t("lane.nothing")}</span>`}
      ${lane.never && canLook && html`<button type="button" class="look" onClick=${() => onLook(lane.name)} aria-label=${t("lane.look_label", { name: title })}>${t("lane.look")}</button>`}
    </div></div>`;
}

const KINDS = ["evidence", "alerts", "scenes", "shots", "speech", "text", "objects", "faces", "captions", "sound", "motion", "colour", "looks"];
const kind = (name) => (KINDS.includes(name) ? name : "other"); // a name that a plug-in chose is no name of a style

/** Marks share one stop of the tab key; arrows go from one to the next. */
function Marks({ marks, view, filter, title }) {
  const [at, setAt] = useState(0);
  const stop = Math.min(at, marks.length - 1);
  const hear = (event) => {
    const to = { ArrowRight: stop + 1, ArrowLeft: stop - 1, Home: 0, End: marks.length - 1 }[event.key];
    if (to === undefined || !marks[to]) return;
    setAt(to);
    event.currentTarget.parentElement.querySelectorAll(".mark")[to]?.focus();
    event.preventDefault();
    event.stopPropagation();
  };
  return marks.map((mark, index) => html`<${Mark} key=${`${mark.start} ${mark.row} ${index}`} mark=${mark} view=${view} title=${title}
    dim=${filter && !mark.text.toLowerCase().includes(filter)} tabindex=${index === stop ? 0 : -1}
    onKeyDown=${hear} onPick=${() => { setAt(index); playback.playSpan(mark.start, mark.end); }} />`);
}

function Mark({ mark, view, title, dim, tabindex, onKeyDown, onPick }) {
  const place = where(mark, view);
  const says = mark.text || title;
  return html`<button type="button" class=${classes("mark", dim && "dim", mark.verdict)} tabindex=${tabindex} style=${{ ...place, "--row": mark.row, "--sure": mark.confidence ?? 1 }}
    data-says=${`${range(mark.start, mark.end)} ${mark.text}`} aria-label=${`${range(mark.start, mark.end)} ${says}`} onKeyDown=${onKeyDown} onClick=${onPick}><span dir="auto">${mark.text}</span></button>`;
}

function Shade({ span, view, kind, says }) {
  return html`<span class=${kind} style=${where(span, view)} data-says=${says} role="img" aria-label=${`${range(span.start, span.end)} ${says}`}></span>`;
}

/** Return where a span lies in a view, as CSS. */
function where(span, view) {
  const length = view.to - view.from;
  const [start, end] = [Math.max(span.start, view.from), Math.min(span.end, view.to)];
  return { left: `${((start - view.from) / length) * 100}%`, width: `${(Math.max(0, end - start) / length) * 100}%` };
}
