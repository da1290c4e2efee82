/* <mask-editor>: what is to be repaired, painted on a photo by mouse or finger.
   data-photo: the picture; data-mask: where the mask is read and written (PNG); data-select: where a
   click is answered by a mask. Without a photo it is a small black square: a blur's kernel. */
(() => {
  if (customElements.get("mask-editor")) return;
  const SIDE = 2048, STEPS = 20, KERNEL = 33, PINK = [224, 33, 138];

  class MaskEditor extends HTMLElement {
    connectedCallback() {
      if (this.watch) return;
      this.watch = new MutationObserver(() => {
        if (!this.contains(this.canvas) || this.shown !== this.dataset.mask) this.begin();
      });
      this.begin();
      this.watch.observe(this, {childList: true, attributes: true,
        attributeFilter: ["data-mask", "data-photo"]});
    }

    /* a page may put another photo's mask into the same place */
    begin() {
      this.replaceChildren();
      this.shown = this.dataset.mask;
      this.words = JSON.parse(this.dataset.words);
      this.kernel = !this.dataset.photo;
      this.ink = this.kernel ? [255, 255, 255] : PINK;
      this.colour = `rgb(${this.ink})`;
      this.tool = "brush";
      this.past = [];
      this.build();
      const start = (w, h) => {
        [this.canvas.width, this.canvas.height] = [w, h];
        this.board.style.aspectRatio = `${w} / ${h}`;
        this.read(this.dataset.mask + "?" + Date.now());
      };
      if (this.kernel) return start(KERNEL, KERNEL);
      this.photo.onload = () => {
        const k = Math.min(1, SIDE / Math.max(this.photo.naturalWidth, this.photo.naturalHeight));
        start(Math.round(this.photo.naturalWidth * k), Math.round(this.photo.naturalHeight * k));
      };
      this.photo.src = this.dataset.photo;
    }

    build() {
      const bar = make("div", "tools");
      bar.setAttribute("role", "toolbar");
      const tools = this.kernel ? ["brush", "eraser"]
        : ["brush", "eraser", "lasso", "rectangle", "alike", "thing"];
      for (const name of tools) {
        const button = this.button(bar, name, () => this.choose(name));
        button.dataset.tool = name;
      }
      this.button(bar, "undo", () => this.undo());
      if (!this.kernel) this.button(bar, "invert", () => this.change(() => this.invert()));
      this.button(bar, "clear", () => this.change(() => this.clear()));

      const sliders = make("div", "sliders");
      this.size = this.slider(sliders, "size", this.kernel ? 1 : 1, this.kernel ? 8 : 200,
        this.kernel ? 2 : 40);
      if (!this.kernel) {
        this.feather = this.slider(sliders, "feather", 0, 50, 0);
        this.feather.addEventListener("change", () => this.send());
        this.tolerance = this.slider(sliders, "tolerance", 1, 60, 12);
      }

      this.board = make("div", this.kernel ? "board kernel" : "board");
      this.photo = make("img", "");
      this.photo.alt = "";
      this.canvas = make("canvas", "");
      this.canvas.setAttribute("role", "img");
      this.canvas.setAttribute("aria-label", this.words.area || "");
      this.sketch = make("canvas", "sketch");
      this.board.append(...this.kernel ? [] : [this.photo], this.canvas, this.sketch);

      const files = make("div", "tools");
      const save = make("a", "button", this.words.save);
      save.href = this.dataset.mask + "?save";
      save.download = this.kernel ? "kernel.png" : "mask.png";
      this.file = make("input", "");
      this.file.type = "file";
      this.file.accept = "image/*";
      this.file.hidden = true;
      this.file.addEventListener("change", () => this.load());
      files.append(save, this.file);
      this.button(files, "load", () => this.file.click());
      this.note = make("span", "note");
      this.note.setAttribute("role", "status");
      files.append(this.note);
      this.append(bar, sliders, this.board, files);
      this.choose("brush");
      this.listen();
    }

    button(bar, name, act) {
      const button = make("button", "", this.words[name]);
      button.type = "button";
      button.addEventListener("click", act);
      bar.append(button);
      return button;
    }

    slider(bar, name, min, max, value) {
      const label = make("label", "", this.words[name]), input = make("input", "");
      Object.assign(input, {type: "range", min, max, value});
      label.append(input);
      bar.append(label);
      return input;
    }

    choose(name) {
      this.tool = name;
      for (const button of this.querySelectorAll("[data-tool]")) {
        button.setAttribute("aria-pressed", button.dataset.tool === name);
      }
    }

    pen() { return this.canvas.getContext("2d", {willReadFrequently: true}); }

    /* do something to the mask that can be undone, and send it */
    change(act) {
      this.past.push(this.pen().getImageData(0, 0, this.canvas.width, this.canvas.height));
      if (this.past.length > STEPS) this.past.shift();
      act();
      this.send();
    }
    undo() {
      const last = this.past.pop();
      if (last) this.pen().putImageData(last, 0, 0);
      this.send();
    }
    clear() { this.pen().clearRect(0, 0, this.canvas.width, this.canvas.height); }
    invert() {
      const pen = this.pen();
      pen.globalCompositeOperation = "xor";
      pen.fillStyle = this.colour;
      pen.fillRect(0, 0, this.canvas.width, this.canvas.height);
      pen.globalCompositeOperation = "source-over";
    }

    listen() {
      let from = null, path = [];
      const at = e => {
        const box = this.canvas.getBoundingClientRect();
        return [(e.clientX - box.left) / box.width * this.canvas.width,
          (e.clientY - box.top) / box.height * this.canvas.height];
      };
      this.canvas.addEventListener("pointerdown", e => {
        if (e.button) return;
        const p = at(e);
        if (this.tool === "alike" || this.tool === "thing") return this.select(p);
        this.canvas.setPointerCapture(e.pointerId);
        [from, path] = [p, [p]];
        this.past.push(this.pen().getImageData(0, 0, this.canvas.width, this.canvas.height));
        if (this.past.length > STEPS) this.past.shift();
        if (this.strokes()) this.stroke(p, p);
      });
      this.canvas.addEventListener("pointermove", e => {
        if (!from) return;
        const p = at(e);
        if (this.strokes()) this.stroke(path.at(-1), p);
        path.push(p);
        if (!this.strokes()) this.outline(from, p, path);
      });
      this.canvas.addEventListener("pointerup", e => {
        if (!from) return;
        const p = at(e), pen = this.pen();
        pen.fillStyle = this.colour;
        if (this.tool === "rectangle") pen.fillRect(...from, p[0] - from[0], p[1] - from[1]);
        if (this.tool === "lasso") this.trace(pen, path).fill();
        this.sketch.width = this.sketch.width;
        from = null;
        this.send();
      });
    }

    strokes() { return this.tool === "brush" || this.tool === "eraser"; }

    stroke(a, b) {
      const pen = this.pen(), box = this.canvas.getBoundingClientRect();
      const shown = this.kernel ? 1 : this.canvas.width / box.width;
      pen.globalCompositeOperation = this.tool === "eraser" ? "destination-out" : "source-over";
      Object.assign(pen, {lineCap: "round", strokeStyle: this.colour,
        lineWidth: this.size.value * shown});
      pen.beginPath();
      pen.moveTo(...a);
      pen.lineTo(b[0] + 0.01, b[1]);
      pen.stroke();
      pen.globalCompositeOperation = "source-over";
    }

    trace(pen, path) {
      pen.beginPath();
      path.forEach((p, i) => i ? pen.lineTo(...p) : pen.moveTo(...p));
      pen.closePath();
      return pen;
    }

    outline(a, b, path) {
      [this.sketch.width, this.sketch.height] = [this.canvas.width, this.canvas.height];
      const pen = this.sketch.getContext("2d");
      Object.assign(pen, {strokeStyle: "#fff", lineWidth: Math.max(1, this.canvas.width / 400)});
      if (this.tool === "rectangle") pen.strokeRect(...a, b[0] - a[0], b[1] - a[1]);
      else this.trace(pen, path).stroke();
    }

    async select([x, y]) {
      this.note.textContent = "…";
      const ask = {x: x / this.canvas.width, y: y / this.canvas.height, how: this.tool,
        tolerance: Number(this.tolerance.value)};
      const answer = await fetch(this.dataset.select, {method: "POST",
        headers: {"Content-Type": "application/json"}, body: JSON.stringify(ask)});
      if (!answer.ok) {
        this.note.textContent = await answer.text();
        return;
      }
      const found = await createImageBitmap(await answer.blob());
      this.note.textContent = "";
      this.change(() => this.add(found));
    }

    /* a mask's white, put onto this one; black is clear */
    add(picture) {
      const [w, h] = [this.canvas.width, this.canvas.height], sheet = make("canvas", "");
      [sheet.width, sheet.height] = [w, h];
      const pen = sheet.getContext("2d");
      pen.drawImage(picture, 0, 0, w, h);
      const image = pen.getImageData(0, 0, w, h), data = image.data;
      for (let i = 0; i < data.length; i += 4) {
        data[i + 3] = Math.max(data[i], data[i + 1], data[i + 2]) * data[i + 3] / 255;
        [data[i], data[i + 1], data[i + 2]] = this.ink;
      }
      pen.putImageData(image, 0, 0);
      this.pen().drawImage(sheet, 0, 0);
    }

    async read(address) {
      const answer = await fetch(address);
      if (answer.status === 200) this.add(await createImageBitmap(await answer.blob()));
    }

    async load() {
      if (!this.file.files[0]) return;
      try {
        const picture = await createImageBitmap(this.file.files[0]);
        if (this.kernel) return this.put(this.file.files[0]);
        this.change(() => { this.clear(); this.add(picture); });
      } catch (error) {
        this.note.textContent = String(error.message || error);
      }
      this.file.value = "";
    }

    /* the mask as a picture, white on black, with its soft edge, to the server */
    send() {
      const sheet = make("canvas", "");
      [sheet.width, sheet.height] = [this.canvas.width, this.canvas.height];
      const pen = sheet.getContext("2d");
      const soft = this.feather ? Number(this.feather.value) : 0;
      if (soft) pen.filter = `blur(${soft}px)`;
      pen.drawImage(this.canvas, 0, 0);
      pen.filter = "none";
      for (const [how, colour] of [["source-in", "#fff"], ["destination-over", "#000"]]) {
        pen.globalCompositeOperation = how;
        pen.fillStyle = colour;
        pen.fillRect(0, 0, sheet.width, sheet.height);
      }
      this.canvas.style.filter = soft ? `blur(${soft / 3}px)` : "";
      sheet.toBlob(blob => this.put(blob), "image/png");
    }

    async put(file) {
      const answer = await fetch(this.dataset.mask, {method: "PUT", body: file});
      const text = await answer.text();
      this.note.textContent = answer.ok ? (text === "empty" ? "" : this.words.used || "") : text;
    }
  }

  function make(tag, name, text) {
    const element = document.createElement(tag);
    element.className = name;
    if (text) element.textContent = text;
    return element;
  }

  customElements.define("mask-editor", MaskEditor);

  /* paste a photo anywhere; keep the job's id in the address, so that a reload finds it */
  document.addEventListener("paste", e => {
    const files = [...e.clipboardData?.files || []].filter(f => f.type.startsWith("image/"));
    const input = document.querySelector("#photo input[type=file]");
    if (!files.length || !input) return;
    const box = new DataTransfer();
    files.forEach(f => box.items.add(f));
    input.files = box.files;
    input.dispatchEvent(new Event("change", {bubbles: true}));
    e.preventDefault();
  });
})();
