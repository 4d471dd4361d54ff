/** Generated tokens. Pointer, touch or arrow keys show the probability of a token. */

const LEVELS = [0.2, 0.07, 0.02, 0.005]; // each bound that a probability is below makes the shade one step darker
const byId = (id) => document.getElementById(id);

/** Returns a span for a piece of text. `probability` may be null (unknown). The text is never parsed as HTML. */
export function tokenSpan(text, probability) {
  const span = document.createElement("span");
  span.className = "token";
  const [, before, ink, after] = /^(\s*)(.*?)(\s*)$/s.exec(text);
  const shaded = document.createElement("span"); // without the spaces: shaded spaces at a line end look like blots
  shaded.className = "ink";
  shaded.textContent = ink;
  span.append(before, shaded, after);
  if (typeof probability === "number" && probability >= 0 && probability <= 1) {
    span.dataset.probability = String(probability);
    span.dataset.level = String(LEVELS.filter((bound) => probability < bound).length);
  }
  return span;
}

/** Format a probability: `34 %`, `0.4 %`, `< 0.01 %`. */
export function percent(probability) {
  const hundredths = probability * 100;
  if (hundredths < 0.01) return "< 0.01 %";
  return `${hundredths >= 10 ? Math.round(hundredths) : Number(hundredths.toPrecision(hundredths < 1 ? 1 : 2))} %`;
}

function odds(probability) {
  const draws = Math.round(1 / Math.max(probability, 1e-9));
  return draws < 2 ? "" : `1 in ${draws.toLocaleString("en")}`;
}

function visible(text) {
  return text.trim() || text.replaceAll("\n", "↵").replaceAll("\t", "⇥").replaceAll(" ", "␣") || "…";
}

/** Show the probability of tokens in `place` by pointer, touch or arrow keys. */
export function showProbabilities(place) {
  place.addEventListener("pointerover", (event) => show(event.target.closest(".token")));
  place.addEventListener("pointerout", (event) => event.pointerType === "mouse" && hide());
  place.addEventListener("click", (event) => show(event.target.closest(".token"))); // a tap: the readout stays until the next tap
  place.addEventListener("focusout", hide);
  place.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const tokens = [...place.querySelectorAll(".token[data-probability]")];
    if (!tokens.length) return;
    event.preventDefault();
    const at = tokens.indexOf(place.querySelector(".token.asked"));
    const next = at < 0 ? (step > 0 ? 0 : tokens.length - 1) : Math.min(Math.max(at + step, 0), tokens.length - 1);
    show(tokens[next]);
    byId("readout-spoken").textContent = `${visible(tokens[next].textContent)}, ${percent(Number(tokens[next].dataset.probability))}`;
  });
}

function show(token) {
  hide();
  if (!token?.dataset.probability) return;
  const probability = Number(token.dataset.probability);
  token.classList.add("asked");
  byId("readout-token").textContent = visible(token.textContent);
  byId("readout-probability").textContent = percent(probability);
  byId("readout-odds").textContent = odds(probability);
  const readout = byId("readout");
  readout.hidden = false;
  const [box, size] = [token.querySelector(".ink").getClientRects()[0] ?? token.getBoundingClientRect(), readout.getBoundingClientRect()];
  const left = Math.min(Math.max(box.left + box.width / 2 - size.width / 2, 8), document.documentElement.clientWidth - size.width - 8);
  const above = box.top - size.height - 6;
  readout.style.left = `${left}px`;
  readout.style.top = `${above < 4 ? box.bottom + 6 : above}px`;
}

/** Hide the readout. */
export function hide() {
  byId("readout").hidden = true;
  for (const token of document.querySelectorAll(".token.asked")) token.classList.remove("asked");
}

addEventListener("scroll", hide, { passive: true });
addEventListener("pointerdown", (event) => event.target.closest?.(".token") || hide());
