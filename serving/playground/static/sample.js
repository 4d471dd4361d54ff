/** One sample on the page: text, metadata and the user's rating. */

import { sendFeedback } from "./api.js";
import { showProbabilities, tokenSpan } from "./tokens.js";

const SVG = "http://www.w3.org/2000/svg";
const ENDS = {
  refused: "The text ends here: the content filter blocked the rest.",
  context: "The text ends here: prompt and continuation together reach the limit of 512 tokens.",
};
let written = 0; // number of samples so far; makes the names of the star inputs unique

export class Sample {
  #id = null;

  /**
   * @param {string} prompt the user's text
   * @param {{number: number, seed: number, keepSeed: (seed: number) => void}} its
   */
  constructor(prompt, { number, seed, keepSeed }) {
    this.seed = seed;
    this.keepSeed = keepSeed;
    this.element = document.getElementById("sample-template").content.firstElementChild.cloneNode(true);
    this.text = this.#find(".text");
    this.written = this.#find(".written");
    this.text.setAttribute("aria-label", `Sample ${number}. Use the left and right arrow keys to move between tokens and hear their probabilities.`);
    this.element.setAttribute("aria-busy", "true");
    this.#find(".prompt").textContent = prompt;
    showProbabilities(this.text);
    this.#find(".copy").addEventListener("click", () => this.#copy());
    for (const thumb of this.element.querySelectorAll(".thumb")) thumb.addEventListener("click", () => this.#thumb(thumb));
    this.#stars();
  }

  /** True while there is no generated text. */
  get empty() {
    return this.written.textContent === "";
  }

  /** Append text. Tokens are shaded if, joined, they equal the text. */
  add({ text, tokens }) {
    const whole = tokens.length > 0 && tokens.map((token) => token.text).join("") === text;
    this.written.append(...(whole ? tokens : [{ text, probability: null }]).map((token) => tokenSpan(token.text, token.probability)));
  }

  /** Finish the sample and show the metadata of `answer`. */
  finish(answer) {
    if (this.empty && answer.generated_text?.[0]) this.add({ text: answer.generated_text[0], tokens: answer.token_probabilities?.[0] ?? [] });
    this.#id = typeof answer.id === "string" ? answer.id : null;
    this.#facts(answer.metadata ?? {});
    const end = ENDS[answer.metadata?.finish_reasons?.[0]];
    if (end) this.endEarly(end);
    for (const control of this.element.querySelectorAll(".thumb, .stars")) control.disabled = this.#id === null;
    this.#end();
  }

  /** Mark the sample as ended early. `why` is a sentence that says the reason. */
  endEarly(why) {
    const place = this.#find(".broke");
    place.textContent = why;
    place.hidden = false;
    this.#end();
  }

  #end() {
    this.element.removeAttribute("aria-busy");
  }

  #facts(metadata) {
    const { model_version: version, arm, tokens_generated: tokens, generation_time_ms: milliseconds, perplexity } = metadata;
    const facts = [];
    if (version !== undefined) facts.push(["version", `version ${short(version)}${arm ? `, ${arm}` : ""}`, String(version)]);
    if (Number.isFinite(tokens)) facts.push(["tokens", `${tokens} ${tokens === 1 ? "token" : "tokens"}`]);
    if (Number.isFinite(milliseconds)) facts.push(["time", `${Math.round(milliseconds)} ms`]);
    if (Number.isFinite(perplexity)) facts.push(["perplexity", `perplexity ${perplexity.toFixed(1)}`]);
    const place = this.#find(".facts");
    place.replaceChildren(
      ...facts.map(([name, words, title]) => {
        const fact = Object.assign(document.createElement("span"), { className: `fact ${name}`, textContent: words });
        if (title) fact.title = title;
        return fact;
      }),
    );
    const seed = Object.assign(document.createElement("button"), { type: "button", className: "link fact", textContent: `seed ${this.seed}`, title: "Use this seed again" });
    seed.addEventListener("click", () => this.keepSeed(this.seed));
    place.append(seed);
  }

  async #copy() {
    const range = document.createRange();
    range.selectNodeContents(this.text);
    try {
      await navigator.clipboard.writeText(range.toString());
      this.#showStatus("Copied.");
    } catch {
      getSelection().removeAllRanges();
      getSelection().addRange(range); // browsers offer no clipboard without TLS
      this.#showStatus("Selected. Press Ctrl+C or ⌘C to copy.");
    }
  }

  #thumb(pressed) {
    for (const thumb of this.element.querySelectorAll(".thumb")) thumb.setAttribute("aria-pressed", String(thumb === pressed));
    return this.#send({ thumb: pressed.dataset.thumb }, () => pressed.setAttribute("aria-pressed", "false"));
  }

  #stars() {
    const name = `stars-${++written}`;
    const place = this.#find(".stars");
    for (let stars = 1; stars <= 5; stars++) {
      const input = Object.assign(document.createElement("input"), { type: "radio", name, value: stars });
      input.className = "unseen";
      input.setAttribute("aria-label", stars === 1 ? "1 star" : `${stars} stars`);
      const star = document.createElementNS(SVG, "svg");
      star.setAttribute("class", "icon");
      star.setAttribute("aria-hidden", "true");
      star.append(document.createElementNS(SVG, "use"));
      star.firstChild.setAttribute("href", "#i-star");
      const label = document.createElement("label");
      label.append(input, star);
      place.append(label);
    }
    place.addEventListener("change", (event) => this.#send({ rating: Number(event.target.value) }, () => (event.target.checked = false)));
  }

  async #send(opinion, undo) {
    this.#showStatus("");
    try {
      await sendFeedback(this.#id, opinion);
      this.#showStatus("Rating saved.");
    } catch (error) {
      undo();
      this.#showStatus(error.message);
    }
  }

  #showStatus(words) {
    this.#find(".thanks").textContent = words;
  }

  #find(selector) {
    return this.element.querySelector(selector);
  }
}

function short(version) {
  const text = String(version);
  return text.length > 12 ? text.slice(0, 12) : text;
}
