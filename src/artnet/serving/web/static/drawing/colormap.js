// @ts-check
/** The colour maps of `artnet.render`: paths through Oklab (Ottosson, 2020) on which lightness rises in equal steps. */

/** Hue at the start, its turn in degrees, and where the chroma's wave begins. */
const PATHS = { sequential: [280, 185, 0.1], positive: [0, 105, 0.25], negative: [285, -120, 0.25] };
/** @typedef {keyof typeof PATHS} Name */

/** @param {number} lightness @param {number} a @param {number} b @returns {number[]} sRGB, 0 to 1 */
function oklabToSrgb(lightness, a, b) {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return linear.map((value) => (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055));
}

/** @type {Partial<Record<Name, Uint8ClampedArray>>} */
const tables = {};

/** Return 256 colours, three bytes each. @param {Name} name @returns {Uint8ClampedArray} */
export function colormap(name) {
  const known = tables[name];
  if (known) return known;
  const [start, turn, wave] = PATHS[name], table = new Uint8ClampedArray(3 * 256); // rounds as numpy does: half to even
  for (let index = 0; index < 256; index++) {
    const step = index / 255, hue = ((start + turn * step) * Math.PI) / 180;
    let chroma = 0.04 + 0.11 * Math.sin(Math.PI * (wave + (0.85 - wave) * step));
    if (name === "negative") chroma *= 0.7; // sRGB holds fewer blues and greens of one lightness
    table.set(oklabToSrgb(0.25 + 0.7 * step, chroma * Math.cos(hue), chroma * Math.sin(hue)).map((value) => 255 * value), 3 * index);
  }
  tables[name] = table;
  return table;
}

/** Write colours as the stops of a CSS gradient. @param {Name} name @param {boolean} [reversed] @returns {string} */
export function gradientStops(name, reversed = false) {
  const table = colormap(name), stops = [0, 51, 102, 153, 204, 255].map((index) => `rgb(${table.slice(3 * index, 3 * index + 3).join(" ")})`);
  return (reversed ? stops.reverse() : stops).join(", ");
}
