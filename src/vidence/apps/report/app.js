(() => {
  const cards = [...document.querySelectorAll(".card")];
  const filters = [...document.querySelectorAll("input[data-filter]")];
  const count = document.getElementById("shown");
  const nothing = document.getElementById("nothing");

  const wanted = (name) => {
    const all = filters.filter((box) => box.dataset.filter === name);
    return all.length ? new Set(all.filter((box) => box.checked).map((box) => box.value)) : null;
  };
  const apply = () => {
    const kinds = wanted("kind");
    const severities = wanted("severity");
    let shown = 0;
    for (const card of cards) {
      const fits = (!kinds || kinds.has(card.dataset.kind)) && (!severities || severities.has(card.dataset.severity));
      card.hidden = !fits;
      shown += fits;
    }
    count.textContent = shown === cards.length ? `${shown}` : `${shown} of ${cards.length}`;
    nothing.hidden = shown > 0;
  };
  const go = (by) => {
    const open = cards.filter((card) => !card.hidden);
    const here = open.indexOf(document.activeElement.closest(".card"));
    const next = open[here < 0 ? (by > 0 ? 0 : open.length - 1) : here + by];
    if (next) next.focus();
  };

  filters.forEach((box) => box.addEventListener("change", apply));
  // A browser may bring back boxes as they were before the page was loaded again.
  if (filters.length) apply();
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input:not([type=checkbox]), textarea")) return;
    if (event.key === "j") go(1);
    if (event.key === "k") go(-1);
    if (event.key === "v") document.activeElement.closest(".veiled")?.querySelector(".lift input")?.click();
  });
})();
