// Draws grasps over the picture. Units are pixels of the picture; an integer is a pixel's centre, so the picture's edge
// is at -0.5. Lines keep their width on the screen at any size of the picture.

const SVG = "http://www.w3.org/2000/svg";
// Length of the line that shows theta where a grasp has no opening, as a fraction of the longer side.
const FIXED_LENGTH = 0.16;
const ROOMY = 0.078;

const make = (name, attributes = {}, children = []) => {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
};

/** A path twice: a dark rim, so that it reads on any background, and the coloured line on it. */
const line = (path, kind) => [
  make("path", { d: path, class: `rim ${kind}` }),
  make("path", { d: path, class: `line ${kind}` }),
];

/** Both jaws, both opening edges and two arrows of a grasp at the origin whose jaws open along x. */
function rectangle({ opening, jaw }, longer) {
  const [w, h] = [opening / 2, jaw / 2];
  const head = Math.min(opening * 0.1, jaw * 0.22);
  const arrow = (side) =>
    `M${side * w} 0H${side * w * 0.5}M${side * (w * 0.5 + head)} ${-head * 0.8}L${side * w * 0.5} 0L${side * (w * 0.5 + head)} ${head * 0.8}`;
  return [
    ...line(`M${-w} ${-h}H${w}M${-w} ${h}H${w}`, "opening"),
    // In a tiny rectangle the arrows would hide what is grasped.
    ...(opening > ROOMY * longer ? line(arrow(-1) + arrow(1), "opening arrow") : []),
    ...line(`M${-w} ${-h}V${h}M${w} ${-h}V${h}`, "jaw"),
    ...line("M0 0h0", "dot"),
  ];
}

/** A line along theta and a saltire, where the model gives no opening. */
function cross(half) {
  const s = 0.3 * half * Math.SQRT1_2;
  return [
    ...line(`M${-half} 0H${half}`, "opening"),
    ...line(`M${-s} ${-s}L${s} ${s}M${-s} ${s}L${s} ${-s}`, "jaw"),
  ];
}

/** Where a grasp is, as a CSS transform; `near` (degrees) picks of the equal half-turns the nearest one. */
function pose({ x, y, theta }, near = 0) {
  const turn = (-theta * 180) / Math.PI;
  const degrees = turn + 180 * Math.round((near - turn) / 180);
  return { degrees, css: `translate(${x}px, ${y}px) rotate(${degrees}deg)` };
}

function group(grasp, kind, size, near) {
  const longer = Math.max(...size);
  const marks = grasp.opening ? rectangle(grasp, longer) : cross((FIXED_LENGTH / 2) * longer);
  const node = make("g", { class: `grasp ${kind}`, "data-x": grasp.x, "data-y": grasp.y, "data-theta": grasp.theta }, marks);
  const { degrees, css } = pose(grasp, near);
  node.style.transform = css;
  return { node, degrees };
}

export class Overlay {
  constructor(svg) {
    this.svg = svg;
    this.size = [1, 1];
  }

  /** A new picture of `size` = [width, height]; nothing is drawn on it. */
  reset(size) {
    this.size = size;
    this.svg.setAttribute("viewBox", `-0.5 -0.5 ${size[0]} ${size[1]}`);
    this.svg.replaceChildren();
    this.svg.setAttribute("aria-label", "No grasp yet");
  }

  /**
   * @param {{now: ?object, before: ?object, part: ?number[], from: ?object}} shown `now` and `before` are grasps in
   *   pixels (`grasp_px`), `part` a half-open box, `from` the grasp that `now` moves away from.
   */
  draw({ now, before, part, from }) {
    this.svg.replaceChildren();
    if (part) this.svg.append(...this.box(part));
    if (before) this.svg.append(group(before, "before", this.size, 0).node);
    if (now) {
      const start = from ? pose(from) : null;
      const { node } = group(now, "now", this.size, start?.degrees);
      this.svg.append(node);
      if (start && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
        node.animate([{ transform: start.css }, { transform: node.style.transform }], {
          duration: 450,
          easing: "cubic-bezier(.3, 0, .1, 1)",
        });
      }
    }
    this.svg.setAttribute("aria-label", now ? this.spoken(now) : "No grasp yet");
  }

  box([x0, y0, x1, y1]) {
    const [width, height] = this.size;
    const around = `M-.5 -.5H${width - 0.5}V${height - 0.5}H-.5Z`;
    const inner = `M${x0 - 0.5} ${y0 - 0.5}H${x1 - 0.5}V${y1 - 0.5}H${x0 - 0.5}Z`;
    return [make("path", { d: around + inner, class: "outside" }), make("path", { d: inner, class: "part" })];
  }

  spoken({ x, y, theta }) {
    const across = Math.round((100 * (x + 0.5)) / this.size[0]);
    const down = Math.round((100 * (y + 0.5)) / this.size[1]);
    const degrees = Math.round((theta * 180) / Math.PI);
    return `Grasp ${across}% from the left and ${down}% from the top, jaws open along ${degrees} degrees`;
  }

  /** Pixel of the picture under a pointer event, held inside the picture. */
  pixel(event) {
    const frame = this.svg.getBoundingClientRect();
    const along = (value, low, length, count) => Math.min(Math.max(((value - low) / length) * count, 0), count);
    return [
      along(event.clientX, frame.left, frame.width, this.size[0]),
      along(event.clientY, frame.top, frame.height, this.size[1]),
    ].map(Math.round);
  }
}
