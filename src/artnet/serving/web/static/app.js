// @ts-check
/** Start the page: load the model's facts, mount the four views and follow the address's #fragment. */
import { About } from "./views/about.js";
import { createBackend } from "./backend.js";
import { gradientStops } from "./drawing/colormap.js";
import { Compare } from "./views/compare.js";
import { CorrectionsBar } from "./views/correct.js";
import { browserStorage, Corrections } from "./views/corrections.js";
import { element, find } from "./dom.js";
import { Look } from "./views/look.js";
import { Many } from "./views/many.js";
import { classWords } from "./words.js";

const VIEWS = ["look", "compare", "many", "about"];

/** Show the view that the address names, the first where it names none. */
function showView() {
  const name = VIEWS.find((view) => location.hash === `#${view}`) || VIEWS[0];
  document.body.dataset.view = name;
  for (const view of VIEWS) {
    find(document, `main > .${view}`).hidden = view !== name;
    const link = find(document, `nav a[href="#${view}"]`);
    if (view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

async function start() {
  const style = document.documentElement.style;
  style.setProperty("--ramp-only", gradientStops("sequential"));
  style.setProperty("--ramp-signed", `${gradientStops("negative", true)}, ${gradientStops("positive")}`);
  addEventListener("hashchange", showView);
  showView();
  const line = find(document, ".loading");
  try {
    const backend = createBackend((text) => {
      line.textContent = text;
      line.hidden = !text;
    });
    const model = await backend.model();
    if (classWords(model.movements).one !== "movement")
      for (const words of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-classes]"))) words.textContent = words.dataset.classes || "";
    for (const choice of document.querySelectorAll("select.movements"))
      choice.append(...model.movements.map((name) => element("option", { value: name }, name)));
    const corrections = new Corrections(model.config, browserStorage());
    new CorrectionsBar(find(document, ".corrections"), corrections);
    new Look(find(document, "main > .look"), backend, model, corrections);
    new Compare(find(document, "main > .compare"), backend, model);
    new Many(find(document, "main > .many"), backend, model, corrections);
    new About(find(document, "main > .about"), model);
  } catch (error) {
    line.textContent = /** @type {Error} */ (error).message;
    line.hidden = false;
  }
}

start();
