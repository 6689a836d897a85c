// A trail: solid where fixes follow each other, dotted over gaps of more than five minutes, where
// nobody knows the way. Doubtful fixes are hollow and stand off the line.
import { createEmpty, extend } from "ol/extent";
import Feature from "ol/Feature";
import LineString from "ol/geom/LineString";
import Point from "ol/geom/Point";
import VectorLayer from "ol/layer/Vector";
import VectorSource from "ol/source/Vector";
import { Circle, Fill, RegularShape, Stroke, Style, Text } from "ol/style";
import { at, circleOf } from "./geometry.js";

const GAP_MS = 5 * 60 * 1000;
const INK = "#1d3f72";
const CIRCLES_UP_TO = 120;

const solid = new Style({ stroke: new Stroke({ color: INK, width: 3 }), zIndex: 2 });
const dotted = new Style({
  stroke: new Stroke({ color: "#383f43", width: 3, lineDash: [1, 8], lineCap: "round" }),
  zIndex: 1,
});
// A whole day is more points than a map can hold apart.
const dot = new Circle({ radius: 2.2, fill: new Fill({ color: INK }) });
const believed = new Circle({
  radius: 4,
  fill: new Fill({ color: INK }),
  stroke: new Stroke({ color: "#ffffff", width: 1 }),
});
// A fix by phone mast: good for a neighbourhood, not for a street.
const rough = new Circle({
  radius: 3,
  fill: new Fill({ color: "#ffffff" }),
  stroke: new Stroke({ color: INK, width: 1.5 }),
});
const doubted = new Circle({
  radius: 5,
  fill: new Fill({ color: "rgba(255, 255, 255, 0.8)" }),
  stroke: new Stroke({ color: "#942514", width: 2, lineDash: [2, 2] }),
});
const circle = new Style({
  stroke: new Stroke({ color: "rgba(29, 63, 114, 0.45)", width: 1 }),
  fill: new Fill({ color: "rgba(29, 63, 114, 0.05)" }),
});

function pointStyle(fix, fewEnough) {
  const sure = fewEnough ? believed : dot;
  const image = !fix.believed ? doubted : fix.rough ? rough : sure;
  return new Style({ image, zIndex: 3 });
}

function marked(fix) {
  return new Style({
    image: new RegularShape({
      points: 3,
      radius: 10,
      fill: new Fill({ color: "#d4351c" }),
      stroke: new Stroke({ color: "#ffffff", width: 2 }),
    }),
    text: new Text({
      text: fix.mark_text,
      offsetY: -18,
      font: "bold 12px Helvetica, Arial, sans-serif",
      fill: new Fill({ color: "#0b0c0c" }),
      stroke: new Stroke({ color: "#ffffff", width: 3 }),
    }),
    zIndex: 5,
  });
}

function segment(from, to) {
  const line = new Feature(new LineString([at(from.lon, from.lat), at(to.lon, to.lat)]));
  line.setStyle(to.time_ms - from.time_ms > GAP_MS ? dotted : solid);
  return line;
}

function featuresOf(fixes) {
  const features = [];
  const line = fixes.filter((fix) => fix.believed);
  for (let i = 1; i < line.length; i += 1) features.push(segment(line[i - 1], line[i]));
  const fewEnough = fixes.length <= CIRCLES_UP_TO;
  for (const fix of fixes) {
    if (fix.accuracy_m && (fewEnough || fix.mark)) {
      const around = new Feature(circleOf(fix.lon, fix.lat, fix.accuracy_m));
      around.setStyle(circle);
      features.push(around);
    }
    const point = new Feature({ geometry: new Point(at(fix.lon, fix.lat)), fix });
    const style = pointStyle(fix, fewEnough);
    point.setStyle(fix.mark ? [style, marked(fix)] : style);
    features.push(point);
  }
  return features;
}

export function trailLayers(data) {
  const source = new VectorSource();
  const ready = data.trail
    ? fetch(data.trail, { credentials: "same-origin" })
        .then((answer) => answer.json())
        .then((trail) => source.addFeatures(featuresOf(trail.fixes)))
    : Promise.resolve();
  return {
    layers: [new VectorLayer({ source, zIndex: 20 })],
    ready,
    extent: () => source.getExtent(),
    // What carried the decision, which is what an alert's map is about.
    markedExtent: () =>
      source
        .getFeatures()
        .filter((feature) => feature.get("fix")?.mark)
        .reduce((sum, feature) => extend(sum, feature.getGeometry().getExtent()), createEmpty()),
  };
}
