// A canvas that shows a photo, what is marked on it, and how it was before, at any zoom.

const MAX_SCALE = 16;

export class View {
  constructor(canvas) {
    this.canvas = canvas;
    this.photo = null; // shown on the right of the split, or everywhere
    this.before = null; // shown on the left of the split
    this.marks = null; // a canvas of the photo's size
    this.split = 0.5;
    this.cursor = null; // the brush: {x, y, size} in pixels of the photo
    this.scale = 1; // pixels of the screen per pixel of the photo
    this.left = this.top = 0; // where the photo begins, in pixels of the screen
    this.onScale = () => {};
    new ResizeObserver(() => this.resized()).observe(canvas);
  }

  show(photo, { before = null, marks = null } = {}) {
    const same = this.photo && this.photo.width === photo.width && this.photo.height === photo.height;
    Object.assign(this, { photo, before, marks, cursor: null });
    if (same) this.draw();
    else this.fit();
  }

  get ratio() {
    return window.devicePixelRatio || 1;
  }

  resized() {
    const { clientWidth, clientHeight } = this.canvas;
    if (!clientWidth) return;
    const [width, height] = [Math.round(clientWidth * this.ratio), Math.round(clientHeight * this.ratio)];
    if (this.canvas.width === width && this.canvas.height === height) return;
    const first = !this.canvas.dataset.sized;
    this.canvas.dataset.sized = "yes";
    const middle = this.toPhoto(this.canvas.width / 2, this.canvas.height / 2);
    Object.assign(this.canvas, { width, height });
    if (!this.photo) return;
    if (first) this.fit();
    else {
      this.left = width / 2 - middle.x * this.scale;
      this.top = height / 2 - middle.y * this.scale;
      this.draw();
    }
  }

  fit() {
    this.resized();
    const { width, height } = this.canvas;
    this.scale = Math.min(width / this.photo.width, height / this.photo.height);
    this.left = (width - this.photo.width * this.scale) / 2;
    this.top = (height - this.photo.height * this.scale) / 2;
    this.draw();
  }

  // Zooms about a point of the screen; without one, about the middle.
  zoom(factor, x = this.canvas.width / 2, y = this.canvas.height / 2) {
    const whole = Math.min(this.canvas.width / this.photo.width, this.canvas.height / this.photo.height);
    const scale = Math.min(MAX_SCALE * this.ratio, Math.max(Math.min(whole, 1) / 4, this.scale * factor));
    const point = this.toPhoto(x, y);
    this.scale = scale;
    this.left = x - point.x * scale;
    this.top = y - point.y * scale;
    this.draw();
  }

  move(x, y) {
    this.left += x;
    this.top += y;
    this.draw();
  }

  // Moves the photo so that a point of it can be seen.
  reveal({ x, y }) {
    const [atX, atY] = [this.left + x * this.scale, this.top + y * this.scale];
    const clamp = (value, size) => Math.min(size - 20, Math.max(20, value));
    this.left += clamp(atX, this.canvas.width) - atX;
    this.top += clamp(atY, this.canvas.height) - atY;
  }

  toPhoto(x, y) {
    return { x: (x - this.left) / this.scale, y: (y - this.top) / this.scale };
  }

  // The place of a mouse, pen or finger, in pixels of the screen.
  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: (event.clientX - box.left) * this.ratio, y: (event.clientY - box.top) * this.ratio };
  }

  get line() {
    return this.left + this.split * this.photo.width * this.scale;
  }

  draw() {
    if (!this.photo) return;
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.drawNow());
  }

  drawNow() {
    const context = this.canvas.getContext("2d");
    const { width, height } = this.photo;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.imageSmoothingEnabled = this.scale < 2;
    context.setTransform(this.scale, 0, 0, this.scale, this.left, this.top);
    context.drawImage(this.photo, 0, 0);
    if (this.before) {
      context.save();
      context.beginPath();
      context.rect(0, 0, this.split * width, height);
      context.clip();
      context.clearRect(0, 0, width, height);
      context.drawImage(this.before, 0, 0);
      context.restore();
      this.stroke(context, () => {
        context.moveTo(this.split * width, 0);
        context.lineTo(this.split * width, height);
      });
    }
    if (this.marks) {
      context.globalAlpha = 0.55;
      context.drawImage(this.marks, 0, 0);
      context.globalAlpha = 1;
    }
    if (this.cursor) {
      const { x, y, size } = this.cursor;
      this.stroke(context, () => context.arc(x, y, size / 2, 0, 2 * Math.PI));
    }
    this.onScale(this.scale / this.ratio);
  }

  // Draws a line that shows on light and dark.
  stroke(context, path) {
    for (const [color, wide] of [["#000", 3], ["#fff", 1.5]]) {
      context.beginPath();
      path();
      context.strokeStyle = color;
      context.lineWidth = (wide * this.ratio) / this.scale;
      context.stroke();
    }
  }
}

// What is marked: strokes on top of a first mask, so that each can be undone.
export class Marks {
  constructor(width, height) {
    this.canvas = Object.assign(document.createElement("canvas"), { width, height });
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.done = [];
    this.undone = [];
  }

  // Begins a stroke, or a new mask to go on from.
  add(step) {
    this.done.push(step);
    this.undone = [];
    this.apply(step);
  }

  // Continues the last stroke.
  extend(point) {
    const step = this.done.at(-1);
    step.points.push(point);
    this.apply({ ...step, points: step.points.slice(-2) });
  }

  apply({ tool, size, points, image }) {
    const context = this.context;
    if (tool === "clear") context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    else if (tool === "image") context.drawImage(image, 0, 0);
    else {
      context.globalCompositeOperation = tool === "eraser" ? "destination-out" : "source-over";
      context.strokeStyle = "rgb(224, 0, 160)";
      context.lineWidth = size;
      context.lineCap = context.lineJoin = "round";
      context.beginPath();
      context.moveTo(points[0].x, points[0].y);
      for (const point of points) context.lineTo(point.x, point.y);
      context.stroke();
      context.globalCompositeOperation = "source-over";
    }
  }

  undo() {
    if (this.done.length) this.undone.push(this.done.pop());
    this.again();
  }

  redo() {
    if (this.undone.length) this.done.push(this.undone.pop());
    this.again();
  }

  again() {
    this.apply({ tool: "clear" });
    for (const step of this.done) this.apply(step);
  }

  // The mask as a PNG, white where it is marked, or null if nothing is.
  async toBlob() {
    const { width, height } = this.canvas;
    const pixels = this.context.getImageData(0, 0, width, height);
    const values = new Uint32Array(pixels.data.buffer);
    let any = false;
    for (let index = 0; index < values.length; index++) {
      const marked = pixels.data[4 * index + 3] > 127;
      any ||= marked;
      values[index] = marked ? 0xffffffff : 0xff000000;
    }
    if (!any) return null;
    const copy = Object.assign(document.createElement("canvas"), { width, height });
    copy.getContext("2d").putImageData(pixels, 0, 0);
    return new Promise((resolve) => copy.toBlob(resolve, "image/png"));
  }
}

// A mask from the server, white where it is set, as an image in the color of marks.
export async function markImage(blob) {
  const image = await createImageBitmap(blob);
  const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, image.width, image.height);
  for (let index = 0; index < pixels.data.length; index += 4) {
    const white = pixels.data[index];
    pixels.data.set([224, 0, 160, white], index);
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}
