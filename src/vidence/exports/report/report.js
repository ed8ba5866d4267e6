"use strict";
(() => {
  const detail = document.getElementById("detail");
  const player = document.getElementById("player");
  const source = document.getElementById("source");
  let stopAt = null;

  const clock = (seconds) => {
    const sign = seconds < 0 ? "-" : "";
    const whole = Math.abs(seconds);
    const minutes = Math.floor(whole / 60);
    return `${sign}${minutes}:${(whole % 60).toFixed(3).padStart(6, "0")}`;
  };
  const tell = (mark) => {
    if (!mark.dataset.text) return;
    const { start, end, text } = mark.dataset;
    const when = start === end ? clock(+start) : `${clock(+start)}–${clock(+end)}`;
    detail.textContent = `${when}  ${text}`;
  };
  const play = (mark) => {
    if (player.hidden) return;
    player.currentTime = +mark.dataset.start;
    stopAt = +mark.dataset.end > +mark.dataset.start ? +mark.dataset.end : null;
    player.play();
  };
  // One stop of the Tab key a lane; the arrow keys, Home and End go along it.
  const step = (event) => {
    const mark = event.target.closest(".track button");
    if (!mark) return;
    const marks = [...mark.parentElement.querySelectorAll("button")];
    const here = marks.indexOf(mark);
    const to = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: marks.length - 1 }[event.key];
    if (to === undefined || !marks[to]) return;
    event.preventDefault();
    mark.tabIndex = -1;
    marks[to].tabIndex = 0;
    marks[to].focus();
  };

  document.addEventListener("pointerover", (event) => {
    const mark = event.target.closest?.(".track button");
    if (mark) tell(mark);
  });
  document.addEventListener("focusin", (event) => {
    if (event.target.matches(".track button")) tell(event.target);
  });
  document.addEventListener("keydown", step);
  document.addEventListener("click", (event) => {
    const mark = event.target.closest("button[data-start]");
    if (!mark) return;
    tell(mark);
    play(mark);
  });
  source.addEventListener("change", () => {
    if (!source.files[0]) return;
    URL.revokeObjectURL(player.src);
    player.src = URL.createObjectURL(source.files[0]);
    player.hidden = false;
  });
  player.addEventListener("timeupdate", () => {
    if (stopAt === null || player.currentTime < stopAt) return;
    player.pause();
    stopAt = null;
  });
})();
