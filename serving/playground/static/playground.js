/** The page: generates samples for the user's text and shows them side by side. */

import { generate } from "./api.js";
import { clearFieldErrors, showFieldError } from "./fields.js";
import * as key from "./key.js";
import { wireKeyDialog } from "./key_dialog.js";
import { Notice } from "./notice.js";
import { Parameters } from "./parameters.js";
import { atField, Refusal } from "./refusal.js";
import { Sample } from "./sample.js";
import { hide } from "./tokens.js";

const RUNS = 10; // maximum number of runs on the page
const EXAMPLES = ["Shall I compare thee to", "Enter a GHOST.\n", "My fellow citizens,", "O gentle night,"];

const byId = (id) => document.getElementById(id);
const [form, text, write, stop, runs] = ["ask", "text", "write", "stop", "runs"].map(byId);
const phone = matchMedia("(max-width: 52rem)");

key.takeFromAddress();
const parameters = new Parameters(form, (line) => {
  byId("settings-summary").textContent = line;
});
const notice = new Notice({ place: byId("notice"), words: byId("notice-text"), key: byId("notice-key"), button: write });
let running = null; // AbortController of the current generation, or null
let wanted = false; // generation starts as soon as a key is entered
const askForKey = wireKeyDialog({
  changed: () => {
    if (!notice.waiting) notice.clear();
    if (wanted && key.current() !== null) startGeneration();
  },
  closed: () => {
    wanted = false;
  },
});

async function startGeneration() {
  if (running || notice.waiting || !navigator.onLine) return;
  clearFieldErrors(form);
  notice.clear();
  hide();
  if (text.value.trim() === "") return void showFieldError(form, "text", "Enter a text for the model to continue.");
  const seeds = parameters.seeds();
  if (seeds === null) return void showFieldError(form, "seed", "The seed must be an integer from 0 to 2147483647.");
  if (key.current() === null) {
    wanted = true;
    return void askForKey();
  }

  const prompt = text.value;
  const samples = seeds.map((seed, number) => new Sample(prompt, { number: number + 1, seed, keepSeed }));
  const run = addRun(samples);
  running = new AbortController();
  busy(true);
  if (phone.matches) run.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });

  const fields = parameters.fields();
  const refusals = await Promise.all(samples.map((sample) => generateSample(sample, { text: prompt, ...fields, seed: sample.seed }, running.signal)));
  running = null;
  busy(false);
  for (const [number, sample] of samples.entries()) if (sample.empty && refusals[number]) sample.element.remove();
  if (!run.querySelector(".sample")) run.remove();
  byId("progress").textContent = `Generated ${run.querySelectorAll(".sample").length} of ${samples.length} samples.`;
  blank(runs.childElementCount === 0);
  showRefusal(refusals.filter((refusal) => refusal instanceof Refusal));
}

/** Generate one sample. Returns the refusal, "stopped", or null on success. */
async function generateSample(sample, request, signal) {
  try {
    const pieces = generate(request, signal);
    for (;;) {
      const { done, value } = await pieces.next();
      if (done) {
        sample.finish(value);
        return null;
      }
      sample.add(value);
    }
  } catch (error) {
    if (error.name === "AbortError") {
      sample.endEarly("Stopped.");
      return "stopped";
    }
    if (!(error instanceof Refusal)) throw error;
    sample.endEarly(error.status === 0 ? "The connection was lost here." : error.message);
    return error;
  }
}

function showRefusal(refusals) {
  // Show the refusal with the longest waiting time.
  const [first] = refusals.toSorted((a, b) => (b.seconds ?? 0) - (a.seconds ?? 0));
  if (!first) return;
  if (!first.field || !showFieldError(form, first.field.split(".")[0], atField(first))) notice.show(first); // `stop_tokens.0` belongs to the field `stop_tokens`
}

function addRun(samples) {
  const run = byId("run-template").content.firstElementChild.cloneNode(true);
  run.querySelector("h2").textContent = parameters.line();
  run.querySelector(".samples").append(...samples.map((sample) => sample.element));
  runs.prepend(run);
  while (runs.childElementCount > RUNS) runs.lastElementChild.remove();
  blank(false);
  return run;
}

function blank(on) {
  byId("blank").hidden = !on;
  byId("reading").hidden = on;
}

function busy(on) {
  const focused = document.activeElement === (on ? write : stop);
  write.hidden = on;
  stop.hidden = !on;
  if (focused) (on ? stop : write).focus({ preventScroll: true });
  if (on) byId("progress").textContent = "Generating.";
}

function keepSeed(seed) {
  form.elements.seed.value = String(seed);
  byId("settings").open = true;
  form.elements.seed.focus();
}

function connection() {
  byId("offline").hidden = navigator.onLine;
  if (!notice.waiting) write.disabled = !navigator.onLine;
}

for (const example of EXAMPLES) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "example", textContent: example.trim() });
  button.addEventListener("click", () => {
    text.value = example;
    text.focus();
  });
  byId("examples").append(button);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  startGeneration();
});
stop.addEventListener("click", () => running?.abort());
addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !byId("key-dialog").open) startGeneration();
  if (event.key === "Escape") running ? running.abort() : hide();
});
byId("reset").addEventListener("click", () => parameters.reset());
byId("shade").addEventListener("change", (event) => document.body.classList.toggle("plain", !event.target.checked));
addEventListener("online", connection);
addEventListener("offline", connection);
connection();
byId("settings").open = !phone.matches;
