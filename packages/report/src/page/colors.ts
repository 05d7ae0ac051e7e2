/**
 * Colours, as CSS so that they follow the theme without being drawn again. Sequences go from the background
 * to full strength with falling lightness, so they read without colour vision and in print; categories are
 * Okabe and Ito's (jfly.uni-koeln.de/color), and never the only sign: a shape or a dash goes with them.
 */

/** Colour and ink of a cell, `share` from 0 to 1. */
export function sequential(share: number): { background: string; ink: string } {
  const at = Math.min(1, Math.max(0, share));
  const background =
    at < 0.5
      ? mix('var(--ramp-middle)', 'var(--ramp-low)', at * 2)
      : mix('var(--ramp-high)', 'var(--ramp-middle)', at * 2 - 1);
  return { background, ink: ink(at < 0.674, at < 0.56) };
}

/** Colour and ink of a difference, from -1 (orange) over 0 to 1 (blue). */
export function diverging(share: number): { background: string; ink: string } {
  const at = Math.min(1, Math.abs(share));
  const end = share < 0 ? 'var(--less)' : 'var(--more)';
  return {
    background: mix(end, 'var(--ramp-low)', at),
    ink: share < 0 ? ink(at < 0.861, at < 0.542) : ink(at < 0.752, at < 0.539),
  };
}

/** Black or white, whichever has at least 4.5 : 1 to the cell: the turning points are the palettes'. */
function ink(blackIfLight: boolean, whiteIfDark: boolean): string {
  return `light-dark(${blackIfLight ? '#000' : '#fff'}, ${whiteIfDark ? '#fff' : '#000'})`;
}

function mix(strong: string, weak: string, share: number): string {
  return `color-mix(in oklab, ${strong} ${(share * 100).toFixed(1)}%, ${weak})`;
}

/** Colour of a category. */
export function category(index: number): string {
  return `var(--category-${index % 8})`;
}

const dashes = ['none', '7 3', '2 3', '10 3 2 3'];

/** Dash of a line: changes when the colours begin again. */
export function dash(index: number): string {
  return dashes[Math.floor(index / 8) % dashes.length]!;
}

/** Shapes that can be filled. Seven, beside eight colours: 56 categories before a pair comes again. */
const shapes = ['circle', 'triangle', 'square', 'diamond', 'star', 'wye', 'cross'] as const;

/** Shape of a category of points. */
export function shape(index: number): (typeof shapes)[number] {
  return shapes[index % shapes.length]!;
}
