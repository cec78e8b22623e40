// Where the log is scrolled to, in pixels of a log of any length.
//
// A browser draws no element higher than 17 million pixels (Firefox) or 33 million (Chromium), and a
// million lines are 20. A longer log gets a shorter spacer: both ends of it are true to the pixel, and
// between them only leaps (the scroll bar, a link) are scaled; a wheel moves as many pixels as ever.

const LONGEST = 15_000_000;
const TRUE_END = 1_000_000;

export class Track {
  constructor(scroller, spacer) {
    Object.assign(this, { scroller, spacer, length: 0, offset: 0, last: 0, set: -1 });
  }

  /** How many pixels are between the top of the log and the top of what is seen. */
  get top() {
    return this.scroller.scrollTop + this.offset;
  }

  set top(wanted) {
    const top = Math.min(Math.max(0, wanted), this.end);
    this.scroller.scrollTop = this.squeezed ? this.toReal(top) : top;
    this.set = this.last = this.scroller.scrollTop;
    this.offset = this.squeezed ? top - this.set : 0;
  }

  get end() {
    return Math.max(0, this.length - this.scroller.clientHeight);
  }

  /** The pixels that the spacer lacks. */
  get squeezed() {
    return Math.max(0, this.length - LONGEST);
  }

  setLength(length) {
    if (length === this.length) return;
    const { top } = this;
    this.length = length;
    this.spacer.style.height = `${Math.min(length, LONGEST)}px`;
    if (this.squeezed || this.offset) this.top = top;
  }

  /** The scroll bar has moved. True when it was we who moved it. */
  scrolled() {
    const at = this.scroller.scrollTop;
    const ours = Math.abs(at - this.set) < 1;
    const leapt = Math.abs(at - this.last) > 2 * this.scroller.clientHeight;
    const nearEnd = at < TRUE_END || at > LONGEST - TRUE_END;
    if (this.squeezed && !ours && (leapt || nearEnd)) this.offset = this.toVirtual(at) - at;
    this.last = at;
    this.set = -1;
    return ours;
  }

  /** How much longer the middle is than its part of the spacer. */
  get scale() {
    return (this.length - 2 * TRUE_END) / (LONGEST - 2 * TRUE_END);
  }

  toReal(top) {
    if (top < TRUE_END) return top;
    if (top > this.length - TRUE_END) return top - this.squeezed;
    return TRUE_END + (top - TRUE_END) / this.scale;
  }

  toVirtual(at) {
    if (at < TRUE_END) return at;
    if (at > LONGEST - TRUE_END) return at + this.squeezed;
    return TRUE_END + (at - TRUE_END) * this.scale;
  }
}
