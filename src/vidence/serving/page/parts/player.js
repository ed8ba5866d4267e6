// The player: the video itself, what is said under it, and its few controls.

import { frameUrl, mediumUrl, request } from "../server.js";
import { clock, range } from "../clock.js";
import * as playback from "../playback.js";
import { html, useEffect, useLayoutEffect, useRef, useState, useValue } from "../ui.js";
import { number, percent, t } from "../words.js";
import { Icon, IconButton } from "./icon.js";

const ASK_AGAIN_MS = 1500;

export function Player({ medium, speech }) {
  const [ready, share, broken] = usePreview(medium);
  const element = useRef(null);
  const [failed, setFailed] = useState(false);
  useLayoutEffect(() => (element.current ? playback.attach(element.current) : undefined), [ready, medium.id]);
  useCaptions(element, ready, speech, medium);
  const trouble = failed ? t("player.failed") : broken;
  return html`<section class="player" aria-label=${t("player.label")}>
    <div class=${medium.width ? "stage" : "stage audio"}>
      ${ready && html`<video ref=${element} src=${mediumUrl(medium.id, "preview")} preload="metadata" playsinline tabindex="-1"
        poster=${medium.width ? frameUrl(medium.id, medium.start_s, 480) : null} onClick=${playback.toggle} onError=${() => setFailed(true)}></video>`}
      ${!ready && medium.width && medium.available && html`<${Still} medium=${medium} />`}
      ${!medium.width && html`<div class="audio-mark"><${Icon} name="sound" size=${64} /></div>`}
      ${!ready && !trouble && html`<p class="stage-note" role="status">${Number.isFinite(share) ? t("player.making_share", { share: percent(share) }) : t("player.making")}</p>`}
      ${trouble && html`<p class="stage-note" role="alert" dir="auto">${trouble}</p>`}
    </div>
    <${Bars} medium=${medium} hasSpeech=${speech.length > 0} />
  </section>`;
}

/** Ask until there is something that a browser can play: [ready, share, why not]. */
function usePreview(medium) {
  const [state, setState] = useState([false, Number.NaN, ""]);
  useEffect(() => {
    const stopper = new AbortController();
    let timer = 0;
    setState([false, Number.NaN, ""]);
    const look = async () => {
      try {
        const response = await request(mediumUrl(medium.id, "preview"), { headers: { Range: "bytes=0-0" }, signal: stopper.signal });
        if (response.status !== 202) {
          response.body?.cancel();
          setState([true, 1, ""]);
          return;
        }
        const job = await response.json().catch(() => ({}));
        setState([false, job.progress ?? Number.NaN, ""]);
        timer = setTimeout(look, ASK_AGAIN_MS);
      } catch (error) {
        if (error.name !== "AbortError") setState([false, Number.NaN, error.message]);
      }
    };
    if (medium.available) look();
    else setState([false, Number.NaN, t("library.gone")]);
    return () => {
      clearTimeout(timer);
      stopper.abort();
    };
  }, [medium.id, medium.available]);
  return state;
}

/** What is on screen now, as a picture: until there is something to play. */
function Still({ medium }) {
  const at = useValue(playback.now);
  return html`<img class="still" src=${frameUrl(medium.id, Math.round(at * 2) / 2, 480)} alt="" />`;
}

/** Show what is said as captions; its words are text, so what looks like markup is taken apart first. */
function useCaptions(element, ready, speech, medium) {
  const shown = useValue(playback.captions);
  useEffect(() => {
    const video = element.current;
    if (!video || !speech.length) return undefined;
    const track = video.textTracks[0] ?? video.addTextTrack("captions");
    track.mode = "hidden";
    for (const cue of [...(track.cues ?? [])]) track.removeCue(cue);
    for (const line of speech) {
      const text = line.text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
      track.addCue(new VTTCue(Math.max(0, line.start - medium.start_s), Math.max(0, line.end - medium.start_s), text));
    }
    track.mode = shown ? "showing" : "hidden";
    return undefined;
  }, [ready, speech, shown]);
}

function Bars({ medium, hasSpeech }) {
  const [isPlaying, isMuted, looped] = [useValue(playback.playing), useValue(playback.muted), useValue(playback.loop)];
  const shown = useValue(playback.captions);
  const speed = useValue(playback.rate);
  return html`<div class="controls-row" role="group" aria-label=${t("player.controls")}>
    <button type="button" class="play" aria-label=${isPlaying ? t("player.pause") : t("player.play")} aria-keyshortcuts="Space K" onClick=${playback.toggle}>
      <${Icon} name=${isPlaying ? "pause" : "play"} size=${22} /></button>
    <${Time} medium=${medium} />
    ${looped && html`<button type="button" class="loop" onClick=${playback.endLoop} aria-label=${t("player.loop_end", { span: range(looped.start, looped.end) })}>
      <${Icon} name="repeat" size=${16} /><span>${range(looped.start, looped.end)}</span><${Icon} name="close" size=${14} /></button>`}
    <span class="gap"></span>
    ${hasSpeech && html`<button type="button" class="icon-button cc" aria-pressed=${shown ? "true" : "false"} aria-label=${t("player.captions")} title=${t("player.captions")} onClick=${playback.toggleCaptions}>CC</button>`}
    <select class="rate" aria-label=${t("player.rate")} value=${String(speed)} onChange=${(event) => playback.setRate(Number(event.target.value))}>
      ${playback.RATES.map((one) => html`<option key=${one} value=${String(one)} selected=${one === speed}>${number(one, 2)}×</option>`)}</select>
    ${medium.audio_codec && html`<${IconButton} name=${isMuted ? "silent" : "sound"} label=${isMuted ? t("player.unmute") : t("player.mute")} onClick=${playback.toggleMuted} />`}
    ${medium.width && html`<${IconButton} name="full" label=${t("player.full")} onClick=${playback.fullscreen} />`}
  </div>`;
}

function Time({ medium }) {
  const at = useValue(playback.now);
  return html`<span class="time-now"><span>${clock(at, true)}</span><span class="faint"> / ${clock(medium.start_s + medium.duration_s)}</span></span>`;
}
