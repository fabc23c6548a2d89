// @ts-check
/** Write a prediction beside its painting. */
import { element, find, percent } from "../dom.js";
import { decisionSentence, marginsSentence, ranked, shownStyles } from "../words.js";

/** @param {ParentNode} root @param {import("../types.js").Prediction} prediction */
export function showPrediction(root, prediction) {
  find(root, ".movement").textContent = prediction.movement;
  find(root, ".confidence").textContent = percent(prediction.confidence);
  const decision = find(root, ".decision");
  decision.textContent = decisionSentence(prediction);
  decision.dataset.decision = prediction.decision;
  find(root, ".bars").replaceChildren(...ranked(prediction.scores).map((name) => {
    const bar = element("span", { class: "bar", "aria-hidden": "true" });
    bar.style.setProperty("--share", String(prediction.scores[name]));
    return element("li", {}, element("span", { class: "name" }, name), bar,
      element("span", { class: "share" }, percent(prediction.scores[name])));
  }));
  const margins = find(root, ".margins");
  margins.textContent = marginsSentence(prediction);
  margins.hidden = !margins.textContent;
  const styles = shownStyles(prediction), line = find(root, ".styles");
  line.hidden = !styles.length;
  line.textContent = `Fine styles: ${styles.map(([name, score]) => `${name} ${percent(score)}`).join(", ")}`;
}
