/* <photo-pair>: input and result, one over the other; a line between them, zoom, pan, keyboard.
   It holds img.before, img.after and a range; the result alone needs no more than img.after.
   data-full and data-boxes name a picture that has both panels at their full size. */
(() => {
  if (customElements.get("photo-pair")) return;
  const kept = new Map();  /* how a pair was looked at, by data-key */
  const words = {fit: "Fit", one: "1:1", four: "4:1", toggle: "Before / after",
    closer: "Closer", farther: "Farther", whole: "Full screen", keys: ""};

  class PhotoPair extends HTMLElement {
    connectedCallback() {
      if (this.watch) return;
      this.watch = new MutationObserver(() => {
        if (this.querySelector(":scope > .after")) this.begin();
      });
      this.begin();
    }

    /* take the pictures that lie in it, and put them into a stage with its buttons */
    begin() {
      if (!this.querySelector(":scope > .after")) return;
      this.watch.disconnect();
      for (const old of this.querySelectorAll(":scope > .stage, :scope > .bar")) old.remove();
      this.words = {...words, ...JSON.parse(this.dataset.words || "{}")};
      this.after = this.querySelector(":scope > .after");
      this.before = this.querySelector(":scope > .before");
      this.range = this.querySelector(":scope > input");
      Object.assign(this, {at: 50, zoom: 0, x: 0, y: 0}, kept.get(this.dataset.key));
      this.build();
      new ResizeObserver(() => this.draw()).observe(this.stage);
      for (const picture of this.pictures()) picture.addEventListener("load", () => this.draw());
      this.watch.observe(this, {childList: true});
      this.divide(this.at);
    }

    build() {
      this.stage = make("div", "stage");
      this.stage.tabIndex = 0;
      this.stage.setAttribute("role", "group");
      this.stage.setAttribute("aria-label", this.after.alt + ". " + this.words.keys);
      this.stage.title = this.words.keys;
      for (const picture of this.pictures()) {
        picture.draggable = false;
        const layer = make("div", "layer " + (picture === this.before ? "was" : "is"));
        layer.append(picture);
        this.stage.append(layer);
      }
      if (this.before) this.stage.append(make("div", "edge"));

      const bar = make("div", "bar");
      const button = (name, act) => {
        const one = make("button", name, this.words[name]);
        one.type = "button";
        one.addEventListener("click", act);
        bar.append(one);
      };
      button("fit", () => this.show(0));
      button("one", () => this.show(1));
      button("four", () => this.show(4));
      if (this.before) button("toggle", () => this.toggle());
      button("whole", () => this.whole());
      bar.append(make("span", "scale"));
      this.prepend(this.stage);
      this.append(bar);

      this.stage.addEventListener("keydown", e => this.key(e));
      this.stage.addEventListener("dblclick", e => this.show(this.zoom ? 0 : 1, e));
      this.stage.addEventListener("wheel", e => {
        if (!e.ctrlKey && !e.metaKey && !this.zoom) return;
        e.preventDefault();
        this.closer(Math.exp(-e.deltaY / 300), e);
      }, {passive: false});
      this.range?.addEventListener("input", () => this.divide(Number(this.range.value)));
      this.drag();
    }

    pictures() { return [this.after, this.before].filter(Boolean); }

    /* pixels of the picture, and of the screen for each of them where it just fits */
    width() { return Number(this.dataset.width) || this.after.naturalWidth || 1; }
    height() { return Number(this.dataset.height) || this.after.naturalHeight || 1; }
    fits() {
      const box = this.stage.getBoundingClientRect();
      return Math.min(box.width / this.width(), box.height / this.height()) || 1;
    }
    scale() { return this.zoom || this.fits() * devicePixelRatio; }

    draw() {
      const box = this.stage.getBoundingClientRect();
      const k = this.zoom ? this.zoom / devicePixelRatio : this.fits();
      const [w, h] = [this.width() * k, this.height() * k];
      const free = (size, room, at) => size <= room ? (room - size) / 2
        : Math.min(0, Math.max(room - size, at));
      this.x = free(w, box.width, this.x);
      this.y = free(h, box.height, this.y);
      for (const picture of this.pictures()) {
        picture.style.cssText = `width:${w}px;height:${h}px;left:${this.x}px;top:${this.y}px`;
        picture.classList.toggle("pixels", this.scale() >= 2 || "pixels" in this.dataset);
      }
      this.style.setProperty("--at", this.at + "%");
      this.querySelector(".scale").textContent = Math.round(100 * this.scale()) + " %";
      if (this.dataset.key) kept.set(this.dataset.key, {at: this.at, zoom: this.zoom, x: this.x, y: this.y});
      if (this.zoom && this.dataset.full) this.load();
    }

    /* so many pixels of the screen for one of the picture's, around the mouse; 0 fits */
    show(zoom, e) {
      const box = this.stage.getBoundingClientRect(), k = this.scale() / devicePixelRatio;
      const [px, py] = e ? [e.clientX - box.left, e.clientY - box.top]
        : [box.width / 2, box.height / 2];
      this.zoom = zoom && Math.min(16, zoom);
      const grown = this.scale() / devicePixelRatio / k;
      this.x = px - (px - this.x) * grown;
      this.y = py - (py - this.y) * grown;
      this.draw();
    }

    closer(times, e) {
      const next = this.scale() * times;
      this.show(next <= this.fits() * devicePixelRatio * 1.001 ? 0 : next, e);
    }

    divide(at) {
      this.at = Math.min(100, Math.max(0, at));
      if (this.range) this.range.value = this.at;
      this.draw();
    }
    toggle() { this.divide(this.at > 50 ? 0 : 100); }
    whole() {
      if (document.fullscreenElement) document.exitFullscreen();
      else this.requestFullscreen?.();
    }

    key(e) {
      if (e.ctrlKey || e.metaKey || e.altKey) return;
      const step = 60, moves = {ArrowLeft: [step, 0], ArrowRight: [-step, 0],
        ArrowUp: [0, step], ArrowDown: [0, -step]};
      if (e.key === " " && this.before) this.toggle();
      else if (e.key === "0") this.show(0);
      else if (e.key === "1" || e.key === "4") this.show(Number(e.key));
      else if (e.key === "+" || e.key === "=") this.closer(1.5);
      else if (e.key === "-") this.closer(1 / 1.5);
      else if (moves[e.key] && this.zoom) {
        this.x += moves[e.key][0];
        this.y += moves[e.key][1];
        this.draw();
      } else if (moves[e.key]?.[0]) this.divide(this.at - Math.sign(moves[e.key][0]) * 5);
      else return;
      e.preventDefault();
    }

    /* a finger or the mouse moves the line, or the picture where it is zoomed; two fingers zoom */
    drag() {
      const down = new Map();
      let line = false;
      this.stage.addEventListener("pointerdown", e => {
        const box = this.stage.getBoundingClientRect();
        const near = Math.abs(e.clientX - box.left - box.width * this.at / 100) < 24;
        if (!down.size) line = this.before && (near || !this.zoom);
        down.set(e.pointerId, [e.clientX, e.clientY]);
        this.stage.setPointerCapture(e.pointerId);
        if (line) this.divide(100 * (e.clientX - box.left) / box.width);
      });
      this.stage.addEventListener("pointermove", e => {
        const was = down.get(e.pointerId);
        if (!was) return;
        const box = this.stage.getBoundingClientRect(), now = [e.clientX, e.clientY];
        if (down.size === 2) {
          const other = [...down].find(([id]) => id !== e.pointerId)[1];
          const far = p => Math.hypot(p[0] - other[0], p[1] - other[1]) || 1;
          this.closer(far(now) / far(was), e);
        } else if (line) this.divide(100 * (e.clientX - box.left) / box.width);
        else {
          this.x += now[0] - was[0];
          this.y += now[1] - was[1];
          this.draw();
        }
        down.set(e.pointerId, now);
      });
      for (const end of ["pointerup", "pointercancel"]) {
        this.stage.addEventListener(end, e => down.delete(e.pointerId));
      }
    }

    /* both panels at their full size, once */
    load() {
      const sheet = new Image(), boxes = JSON.parse(this.dataset.boxes);
      sheet.onload = () => {
        for (const [name, box] of [["after", boxes.restored], ["before", boxes.input]]) {
          if (!this[name] || !box) continue;
          const canvas = make("canvas", this[name].className);
          [canvas.width, canvas.height] = [box[2] - box[0], box[3] - box[1]];
          canvas.getContext("2d").drawImage(sheet, -box[0], -box[1]);
          this[name].replaceWith(canvas);
          this[name] = canvas;
        }
        this.draw();
      };
      sheet.src = this.dataset.full;
      delete this.dataset.full;
    }
  }

  function make(tag, name, text) {
    const element = document.createElement(tag);
    element.className = name;
    if (text) element.textContent = text;
    return element;
  }

  customElements.define("photo-pair", PhotoPair);
})();
