/** Checks that run inside a page: what is too wide, what is hard to read, where the lines of the picture end. */

/** Finds texts whose contrast is below 4.5 (WCAG 2.2 AA), in the colours that are in effect. */
export const FIND_FAINT = `(() => {
  const parse = (color) => {
    const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const luminance = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((one) => {
      const part = one / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = parse(getComputedStyle(one).backgroundColor);
      if (color.a > 0) return color;
    }
    return { r: 255, g: 255, b: 255 };
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement: element, data } = walker.currentNode;
    if (data.trim() === '' || !element.checkVisibility()) continue;
    const [a, b] = [parse(getComputedStyle(element).color), ground(element)].map(luminance);
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) found.push(data.trim().slice(0, 40) + ' ' + contrast.toFixed(2));
  }
  return [...new Set(found)];
})()`;

/** Finds elements that reach over the right edge of the page, outside of boxes that scroll or cut off. */
export const FIND_WIDE = `[...document.querySelectorAll('body *')]
  .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
  .filter((one) => !one.parentElement.closest('.scroller, .name, .version, .unseen, h3, svg'))
  .map((one) => one.outerHTML.slice(0, 120))`;

/** Finds lines of the picture whose ends are not at the middle of a row, in pixels from the next one. */
export const FIND_LOOSE_ENDS = `(() => {
  const middles = (selector) => [...document.querySelectorAll(selector)].map((row) => {
    const { top, height } = row.getBoundingClientRect();
    return top + height / 2;
  });
  const [left, right] = [middles('.core li'), middles('.annex li')];
  const picture = document.querySelector('.picture svg');
  const { top, height } = picture.getBoundingClientRect();
  const rows = picture.viewBox.baseVal.height;
  const distance = (rowsDown, all) =>
    Math.min(...all.map((one) => Math.abs(one - (top + (rowsDown / rows) * height))));
  return [...picture.querySelectorAll('path')].flatMap((path) => {
    const [, from, to] = /^M0 ([\\d.]+)C.* 100 ([\\d.]+)$/.exec(path.getAttribute('d')).map(Number);
    const isAlone = path.classList.contains('none');
    const ends = [distance(to, right), isAlone ? 0 : distance(from, left)];
    return ends.filter((end) => end > 1);
  });
})()`;
