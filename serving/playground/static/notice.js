/** The message above the button: why there is no text, and when to try again. */

export class Notice {
  #timer = null;

  /** @param {{place: HTMLElement, words: HTMLElement, key: HTMLElement, button: HTMLButtonElement}} parts */
  constructor(parts) {
    Object.assign(this, parts);
    this.label = this.button.textContent;
  }

  /** Show a refusal. If it has `seconds`, the button is disabled with a countdown. */
  show(refusal) {
    this.clear();
    this.words.textContent = refusal.message;
    this.key.hidden = refusal.status !== 401;
    this.place.hidden = false;
    if (refusal.seconds) this.#count(Date.now() + refusal.seconds * 1000);
  }

  /** Hide the message and enable the button. */
  clear() {
    clearInterval(this.#timer);
    this.#timer = null;
    this.place.hidden = true;
    this.words.textContent = "";
    this.button.disabled = false;
    this.button.textContent = this.label;
  }

  /** True while the countdown runs. */
  get waiting() {
    return this.#timer !== null;
  }

  #count(end) {
    const tick = () => {
      const left = Math.ceil((end - Date.now()) / 1000); // from the clock, because timers are throttled in background tabs
      if (left <= 0) this.clear();
      else this.button.textContent = `${this.label} in ${left} s`;
    };
    this.button.disabled = true;
    this.#timer = setInterval(tick, 250);
    tick();
  }
}
