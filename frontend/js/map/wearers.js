// Wearers on the map, read from the table that says the same: every row carries its point.
import Feature from "ol/Feature";
import Point from "ol/geom/Point";
import VectorLayer from "ol/layer/Vector";
import VectorSource from "ol/source/Vector";
import { at, circleOf } from "./geometry.js";
import { confidenceStyle, wearerStyle } from "./symbols.js";

const LABELS_BELOW = 20; // metres a pixel

function pointsIn(holder) {
  return [...holder.querySelectorAll("[data-point]")].map((row) => JSON.parse(row.dataset.point));
}

export function wearerLayers(data) {
  const holder = data.wearers ? document.getElementById(data.wearers) : null;
  if (!holder) return { layers: [], extent: () => [Infinity, Infinity, -Infinity, -Infinity] };
  const circles = new VectorSource();
  const symbols = new VectorSource();

  function read() {
    circles.clear(true);
    symbols.clear(true);
    for (const point of pointsIn(holder)) {
      if (point.accuracy_m) {
        const circle = new Feature(circleOf(point.lon, point.lat, point.accuracy_m));
        circle.setStyle(confidenceStyle(point.state));
        circles.addFeature(circle);
      }
      const symbol = new Feature({ geometry: new Point(at(point.lon, point.lat)), point });
      symbol.setId(point.id);
      symbols.addFeature(symbol);
    }
    circles.changed();
    symbols.changed();
  }
  read();
  holder.addEventListener("refreshed", read);

  return {
    layers: [
      new VectorLayer({ source: circles, zIndex: 30 }),
      new VectorLayer({
        source: symbols,
        zIndex: 40,
        declutter: "wearers",
        style: (feature, resolution) =>
          wearerStyle(feature.get("point"), resolution < LABELS_BELOW),
      }),
    ],
    extent: () => symbols.getExtent(),
  };
}
