// Texts of the page that stand out from what is behind them by less than WCAG 2.2 (1.4.3) asks.
() => {
  const rgba = (text) => { const n = text.match(/[\d.]+/g).map(Number); return n.length > 3 ? n : [...n, 1] };
  const over = (c, below) => [0, 1, 2].map((i) => c[i] * c[3] + below[i] * (1 - c[3]));
  const linear = (v) => (v <= 10.31 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const light = (c) => 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]);

  // What is behind an element: colours from the page's up; null where it is a picture.
  const ground = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      const style = getComputedStyle(e);
      if (style.backgroundImage !== "none") return null;
      layers.push(rgba(style.backgroundColor));
      if (layers[layers.length - 1][3] === 1) break;
    }
    return layers.reverse().reduce((below, c) => over(c, below), [255, 255, 255]);
  };

  const found = [], seen = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement, text = texts.currentNode.textContent.trim();
    const box = element.getBoundingClientRect(), style = getComputedStyle(element);
    const shown = box.width && box.height && style.visibility !== "hidden" && +style.opacity;
    if (!text || seen.has(element) || !shown || element.closest(":disabled")) continue;
    seen.add(element);
    const behind = ground(element);
    if (!behind) continue;

    const [a, b] = [light(over(rgba(style.color), behind)), light(behind)].sort((p, q) => q - p);
    const size = parseFloat(style.fontSize), bold = +style.fontWeight >= 700;
    const least = size >= 24 || (bold && size >= 18.66) ? 3 : 4.5;
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < least) found.push(`${ratio.toFixed(2)} ${element.tagName} ${text.slice(0, 40)}`);
  }
  return found;
}
