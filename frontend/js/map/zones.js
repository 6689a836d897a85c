// Zones and their buffers. A zone that protects a victim is labelled by its number alone.
import GeoJSON from "ol/format/GeoJSON";
import Point from "ol/geom/Point";
import VectorLayer from "ol/layer/Vector";
import VectorSource from "ol/source/Vector";
import { Fill, Stroke, Style, Text } from "ol/style";

const KEEP_OUT = { line: "#942514", fill: "rgba(212, 53, 28, 0.14)" };
const STAY_IN = { line: "#0b5a8a", fill: "rgba(29, 112, 184, 0.07)" };
// Metres a pixel below which homes and offices where people must be are drawn: they are small.
const SMALL_ZONES_BELOW = 30;

// Above the zone, so that what happened inside it stays legible.
function label(feature, colour) {
  const [west, , east, north] = feature.getGeometry().getExtent();
  return new Style({
    geometry: new Point([(west + east) / 2, north]),
    text: new Text({
      text: feature.get("label"),
      offsetY: -9,
      font: "bold 12px Helvetica, Arial, sans-serif",
      fill: new Fill({ color: colour }),
      stroke: new Stroke({ color: "#ffffff", width: 3 }),
    }),
  });
}

function style(always) {
  return (feature, resolution) => {
    const keepOut = feature.get("kind") === "exclusion";
    const look = keepOut ? KEEP_OUT : STAY_IN;
    if (!keepOut && !always && resolution > SMALL_ZONES_BELOW) return null;
    if (feature.get("part") === "buffer") {
      return new Style({
        stroke: new Stroke({ color: keepOut ? "#b35a1f" : look.line, width: 1.5, lineDash: [5, 5] }),
      });
    }
    const area = new Style({
      fill: new Fill({ color: look.fill }),
      stroke: new Stroke({ color: look.line, width: 2 }),
    });
    const labelled = always || resolution < SMALL_ZONES_BELOW;
    return labelled ? [area, label(feature, look.line)] : area;
  };
}

export function zoneLayers(data) {
  const source = new VectorSource({ format: new GeoJSON() });
  const layer = new VectorLayer({
    source,
    zIndex: 10,
    declutter: true,
    style: style(data.zonesAlways === "true"),
  });
  const ready = data.zones
    ? fetch(data.zones, { credentials: "same-origin" })
        .then((answer) => answer.json())
        .then((zones) => {
          const features = new GeoJSON({ featureProjection: "EPSG:3857" }).readFeatures(zones);
          source.addFeatures(features);
        })
    : Promise.resolve();
  return { layers: [layer], ready, extent: () => source.getExtent() };
}
