// How far it is: in words, in figures, as a bar, and its losses.

import { byId, element, fill, offer } from "../html.js";
import { Chart } from "./chart.js";
import { span, words } from "./words.js";

/** @typedef {import("../painting.js").Painting} Painting */

export class Progress {
  constructor() {
    this.section = byId("progress");
    this.title = element("h2", { id: "progress-title", tabindex: -1 });
    this.after = element("p", { class: "after" });
    this.words = element("p", { class: "words" });
    this.bar = element("progress", { max: 100, value: 0, "aria-label": "Painted" });
    this.facts = element("dl", { class: "facts" });
    this.chart = new Chart();
    fill(this.section, this.title, this.after, this.words, this.bar, this.facts, this.chart.figure);
  }

  /**
   * @param {Painting} painting
   * @param {{ photo: string, artwork: string }} titles
   */
  show(painting, titles) {
    this.section.hidden = false;
    this.title.textContent = titles.photo;
    this.after.textContent = titles.artwork && `after ${titles.artwork}`;
    this.words.textContent = words(painting);
    this.bar.value = painting.progress;
    // Of a painting that there is not, there is nothing to tell.
    this.bar.hidden = this.facts.hidden = painting.state === "failed" && painting.iteration < 0;
    fill(this.facts, facts(painting).map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))));
    offer(this.chart.figure, painting.losses.length > 1, !painting.over);
    if (painting.losses.length > 1) this.chart.show(painting.losses);
  }

  hide() {
    this.section.hidden = true;
  }
}

/**
 * @param {Painting} painting
 * @returns {[string, string][]}
 */
function facts(painting) {
  const { iteration, of, elapsed, eta, pace, device, kept, bare } = painting;
  const count = String(iteration + 1).padStart(String(of).length, "\u2007"); // as wide at first as at last
  const by = device ? `${device.engine}, ${device.device}` : "–";
  return [
    ["Iteration", iteration < 0 ? "–" : `${count} of ${of}`],
    ["Elapsed", kept ? "–" : span(elapsed)],
    ["Left", eta === null ? "–" : span(eta)],
    ["Pace", pace === null ? "–" : `${pace.toFixed(pace < 10 ? 1 : 0)} / s`],
    ["Painted by", bare ? "patches, this browser" : by],
  ];
}
