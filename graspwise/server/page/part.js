// Chooses the part of the picture that the model looks at, by dragging or with the arrow keys.

// The smallest side of a box, as a share of the picture's longer side.
const SMALLEST = 1 / 20;
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class PartChooser {
  /**
   * @param {Overlay} overlay where the box is drawn.
   * @param {HTMLElement} button switches between a part and all of the picture.
   * @param {function()} changed called when `box` or `isOn` is another one.
   */
  constructor(overlay, button, changed) {
    this.overlay = overlay;
    this.button = button;
    this.changed = changed;
    this.reset();
    button.addEventListener("click", () => {
      this.set(!this.isOn, null);
      if (this.isOn) overlay.svg.focus({ preventScroll: true });
      changed();
    });
    overlay.svg.addEventListener("pointerdown", (event) => this.isOn && this.drag(event));
    overlay.svg.addEventListener("keydown", (event) => this.isOn && STEPS[event.key] && this.step(event));
  }

  /** All of the picture. */
  reset() {
    this.set(false, null);
  }

  /** A half-open box [x0, y0, x1, y1] in pixels, null while none is drawn; `isOn` says whether one may be drawn. */
  set(isOn, box) {
    this.isOn = isOn;
    this.box = box;
    this.button.setAttribute("aria-pressed", String(isOn));
    this.button.textContent = isOn ? "Look at all of it" : "Look at a part";
    this.overlay.svg.classList.toggle("drawing", isOn);
    this.overlay.svg.setAttribute("tabindex", isOn ? "0" : "-1");
  }

  get smallest() {
    return Math.ceil(Math.max(...this.overlay.size) * SMALLEST);
  }

  drag(event) {
    event.preventDefault();
    const { svg } = this.overlay;
    svg.setPointerCapture(event.pointerId);
    const from = this.overlay.pixel(event);
    const move = (moved) => {
      const to = this.overlay.pixel(moved);
      const [left, right] = [from[0], to[0]].sort((a, b) => a - b);
      const [top, bottom] = [from[1], to[1]].sort((a, b) => a - b);
      // A tap is no box.
      this.box = Math.min(right - left, bottom - top) >= this.smallest ? [left, top, right, bottom] : null;
      this.changed();
    };
    svg.addEventListener("pointermove", move);
    svg.addEventListener("lostpointercapture", () => svg.removeEventListener("pointermove", move), { once: true });
  }

  /** An arrow key moves the box, with Shift its lower right corner; the first one starts with the middle half. */
  step(event) {
    event.preventDefault();
    const { size } = this.overlay;
    const box = this.box ?? [0.25, 0.25, 0.75, 0.75].map((share, at) => Math.round(share * size[at % 2]));
    const length = Math.max(1, Math.round(Math.max(...size) / 40));
    for (const axis of [0, 1]) {
      const by = STEPS[event.key][axis] * length;
      if (event.shiftKey) {
        box[axis + 2] = Math.min(Math.max(box[axis + 2] + by, box[axis] + this.smallest), size[axis]);
      } else {
        const shift = Math.min(Math.max(by, -box[axis]), size[axis] - box[axis + 2]);
        box[axis] += shift;
        box[axis + 2] += shift;
      }
    }
    this.box = box;
    this.changed();
  }
}
