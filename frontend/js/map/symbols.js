// A state is a shape and a colour, so that colour alone never carries it. The same as the symbols
// in the tables (desk/kit/templates/kit/state.html).
import { Circle, Fill, RegularShape, Stroke, Style, Text } from "ol/style";
import { radians } from "./geometry.js";

export const COLOURS = {
  clear: "#00703c",
  possible: "#c05c12",
  confirmed: "#d4351c",
  no_data: "#505a5f",
};
const ORDER = { no_data: 1, clear: 2, possible: 3, confirmed: 4 };
// Symbols always stand; only labels give way to each other.
const declutterMode = "none";
const edge = new Stroke({ color: "#ffffff", width: 2 });

function shape(state) {
  const fill = new Fill({ color: COLOURS[state] });
  if (state === "confirmed") return new RegularShape({ points: 3, radius: 13, fill, stroke: edge, declutterMode });
  if (state === "possible") return new RegularShape({ points: 4, radius: 11, fill, stroke: edge, declutterMode });
  if (state === "clear") return new Circle({ radius: 7, fill, stroke: edge, declutterMode });
  return new RegularShape({
    points: 4,
    radius: 10,
    angle: Math.PI / 4,
    declutterMode,
    fill: new Fill({ color: "#ffffff" }),
    stroke: new Stroke({ color: COLOURS.no_data, width: 3 }),
  });
}

const shapes = Object.fromEntries(Object.keys(COLOURS).map((state) => [state, shape(state)]));

function arrow(course_deg, colour) {
  const angle = radians(course_deg);
  return new RegularShape({
    points: 3,
    radius: 6,
    declutterMode,
    rotation: angle,
    displacement: [16 * Math.sin(angle), 16 * Math.cos(angle)],
    fill: new Fill({ color: colour }),
    stroke: new Stroke({ color: "#ffffff", width: 1 }),
  });
}

export function wearerStyle(point, withLabel) {
  const zIndex = ORDER[point.state] ?? 0;
  const styles = [new Style({ image: shapes[point.state] ?? shapes.no_data, zIndex })];
  if (point.course_deg !== null && point.course_deg !== undefined && point.moving) {
    styles.push(new Style({ image: arrow(point.course_deg, COLOURS[point.state]), zIndex }));
  }
  if (withLabel || point.state === "confirmed" || point.state === "possible") {
    styles.push(
      new Style({
        text: new Text({
          text: `${point.label} · ${point.age}`,
          offsetY: 22,
          font: "bold 12px Helvetica, Arial, sans-serif",
          fill: new Fill({ color: "#0b0c0c" }),
          stroke: new Stroke({ color: "#ffffff", width: 3 }),
        }),
        zIndex,
      }),
    );
  }
  return styles;
}

export function confidenceStyle(state) {
  const colour = COLOURS[state] ?? COLOURS.no_data;
  return new Style({
    stroke: new Stroke({ color: colour, width: 1.5 }),
    fill: new Fill({ color: `${colour}1f` }),
    zIndex: ORDER[state] ?? 0,
  });
}
