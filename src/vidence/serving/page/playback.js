// The one player of the page: its time, what it loops, and how it is moved. Times are on the medium's own clock.

import { batch, signal } from "./ui.js";

export const now = signal(0);
export const playing = signal(false);
export const muted = signal(false);
export const captions = signal(false);
export const rate = signal(1);

/** The span that is played over and over: {start, end}, or null. */
export const loop = signal(null);

export const RATES = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 4];
const SHORTEST_LOOP_S = 0.4; // an instant is shown as this much, or it would only flicker

let video = null;
let medium = { start: 0, end: 0, fps: 25 };
let waiting = null; // a time to go to once there is a player

/** Begin with a medium: {start_s, duration_s, fps}. */
export function open({ start_s, duration_s, fps }) {
  medium = { start: start_s, end: start_s + duration_s, fps: fps || 25 };
  waiting = null;
  batch(() => {
    now.value = start_s;
    loop.value = null;
    playing.value = false;
  });
}

/** Take the element that plays; browsers count from zero where a medium's clock may begin elsewhere. */
export function attach(element) {
  video = element;
  if (!video) return () => null;
  video.playbackRate = rate.value;
  video.muted = muted.value;
  const heard = {
    play: () => { playing.value = true; follow(); },
    pause: () => { playing.value = false; },
    timeupdate: tick,
    seeked: tick,
    ended: again,
    loadedmetadata: arrive,
    volumechange: () => { muted.value = video?.muted ?? false; },
  };
  for (const [name, hear] of Object.entries(heard)) element.addEventListener(name, hear);
  if (element.readyState > 0) arrive();
  return () => {
    for (const [name, hear] of Object.entries(heard)) element.removeEventListener(name, hear);
    if (video === element) video = null;
  };
}

function arrive() {
  if (!waiting) return;
  const { time, play } = waiting;
  waiting = null;
  seek(time);
  if (play) start();
}

function tick() {
  if (!video || video.seeking) return;
  const time = medium.start + video.currentTime;
  if (loop.value && !video.paused && time >= loop.value.end) seek(loop.value.start);
  else now.value = time;
}

function again() {
  if (!loop.value) return;
  seek(loop.value.start);
  start();
}

function follow() {
  if (!video || video.paused) return;
  tick();
  requestAnimationFrame(follow);
}

function start() {
  video?.play().catch(() => { playing.value = false; }); // the browser may want a press first
}

/** Go to a time. */
export function seek(time) {
  const to = Math.min(Math.max(time, medium.start), medium.end);
  now.value = to;
  if (video?.readyState > 0) video.currentTime = to - medium.start;
  else waiting = { time: to, play: waiting?.play };
}

/** Move by some seconds; outside of a loop it ends the loop. */
export function move(by) {
  const to = now.value + by;
  if (loop.value && (to < loop.value.start || to > loop.value.end)) loop.value = null;
  seek(to);
}

/** Move by frames, paused. */
export function step(frames) {
  video?.pause();
  move(frames / medium.fps);
}

/** Play a span over and over. */
export function playSpan(start_s, end_s) {
  loop.value = { start: start_s, end: Math.max(end_s, start_s + SHORTEST_LOOP_S) };
  seek(start_s);
  if (video?.readyState > 0) start();
  else waiting = { time: start_s, play: true };
}

export function endLoop() {
  loop.value = null;
}

export function toggle() {
  if (!video) return;
  if (video.paused) start();
  else video.pause();
}

export function pause() {
  video?.pause();
}

export function toggleMuted() {
  if (video) video.muted = !video.muted;
}

export function toggleCaptions() {
  captions.value = !captions.value;
}

export function setRate(value) {
  rate.value = value;
  if (video) video.playbackRate = value;
}

/** Play faster or slower by one notch. */
export function notch(by) {
  const at = RATES.indexOf(rate.value) + by;
  if (RATES[at]) setRate(RATES[at]);
}

export function fullscreen() {
  const stage = video?.closest(".stage");
  if (document.fullscreenElement) document.exitFullscreen();
  else stage?.requestFullscreen?.().catch(() => null);
}
