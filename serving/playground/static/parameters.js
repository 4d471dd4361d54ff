/** Generation parameters: form controls, request fields, and storage for the next visit. */

const PLACE = "robo-poet.parameters";
const SLIDERS = ["temperature", "top_p", "top_k", "max_length"];
const SEEDS = 2 ** 31;

/** The controls of `form`. Changes are stored. `changed` is called with the summary line. */
export class Parameters {
  constructor(form, changed = () => {}) {
    this.form = form;
    this.changed = changed;
    this.defaults = this.#controls();
    this.#set(remembered());
    form.addEventListener("input", (event) => {
      if (event.target.name === "text") return;
      this.#show();
      this.#remember();
    });
    this.#show();
  }

  /** Returns the fields of a request, without seed and text. */
  fields() {
    const fields = Object.fromEntries(SLIDERS.map((name) => [name, Number(this.form.elements[name].value)]));
    const stops = this.form.elements.stop_tokens.value.split("\n").map((line) => line.replaceAll("\\n", "\n")).filter((line) => line !== "");
    return stops.length ? { ...fields, stop_tokens: stops } : fields;
  }

  /** Number of samples. */
  get samples() {
    return Number(this.form.elements.num_samples.value);
  }

  /** Returns one seed per sample, counting up from the entered or a random seed. Null if the entered seed is invalid. */
  seeds() {
    const entered = this.form.elements.seed.value.trim();
    if (entered !== "" && (!/^\d{1,10}$/.test(entered) || Number(entered) >= SEEDS)) return null;
    const first = entered === "" ? crypto.getRandomValues(new Uint32Array(1))[0] % SEEDS : Number(entered);
    return Array.from({ length: this.samples }, (_, number) => (first + number) % SEEDS);
  }

  /** Restore the default values. */
  reset() {
    this.#set(this.defaults);
    this.form.elements.seed.value = "";
    this.#show();
    this.#remember();
  }

  /** Returns the summary line, such as `temperature 0.8 · top-p 0.9`. */
  line() {
    const { temperature, top_p, top_k, max_length } = this.fields();
    const parts = [`temperature ${temperature}`, `top-p ${top_p}`, `top-k ${top_k}`, tokens(max_length)];
    return parts.map((part) => part.replaceAll(" ", "\u00a0")).join(" · "); // line breaks only between parameters
  }

  #controls() {
    return Object.fromEntries([...SLIDERS, "num_samples", "stop_tokens"].map((name) => [name, this.form.elements[name].value]));
  }

  #set(values) {
    for (const name of Object.keys(this.defaults)) {
      if (typeof values[name] === "string") this.form.elements[name].value = values[name]; // the browser clamps range inputs to their bounds
    }
    if (this.form.elements.num_samples.value === "") this.form.elements.num_samples.value = this.defaults.num_samples;
  }

  #show() {
    for (const name of SLIDERS) {
      const slider = this.form.elements[name];
      const { min, max, value } = slider;
      slider.style.setProperty("--filled", `${((value - min) / (max - min)) * 100}%`);
      this.form.querySelector(`output[for="${name}"]`).value = name === "max_length" ? tokens(value) : value;
    }
    this.changed(this.line());
  }

  #remember() {
    try {
      localStorage.setItem(PLACE, JSON.stringify(this.#controls()));
    } catch {
      // no storage: the values are not kept
    }
  }
}

function tokens(count) {
  return `${count} ${Number(count) === 1 ? "token" : "tokens"}`;
}

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(PLACE)) ?? {};
  } catch {
    return {};
  }
}
